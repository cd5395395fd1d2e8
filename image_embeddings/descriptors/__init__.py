"""Hand-made numbers of a crop: colour, rings, segmentation, shape, texture; no weights, CPU only."""
