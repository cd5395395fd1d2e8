"""The feature groups, one module each."""
