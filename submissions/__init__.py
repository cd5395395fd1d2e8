"""What a user takes away: submission files. Knows nothing about how a model is trained."""
