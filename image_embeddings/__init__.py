"""The image stage: descriptors and networks that give every lesion a score and an embedding, strictly out of fold."""
