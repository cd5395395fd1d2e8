"""Light heads on a pretrained backbone's features of crops; the backbone's own weights are untouched."""
