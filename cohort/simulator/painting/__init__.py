"""How one crop is painted: skin, lesion, signs and hair in CIELAB on a square of 15 mm, then one JPEG."""
