"""Light heads on what a pretrained backbone says of crops, its own weights untouched."""
