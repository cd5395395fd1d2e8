"""The feature groups, a module each."""
