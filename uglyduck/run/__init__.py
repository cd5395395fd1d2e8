"""A run: its configuration, its folder and manifest, and what its stages share."""
