"""The image stage: descriptors and networks that give every lesion a score and an embedding, honestly out of fold."""
