"""What a user takes away: submission files. Knows nothing of how a model is trained."""
