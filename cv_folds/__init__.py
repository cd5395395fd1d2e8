"""Patient-grouped folds as a frozen artifact, metrics of a lesion score, and the exact patient bootstrap."""
