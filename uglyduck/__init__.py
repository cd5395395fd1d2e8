"""The command line and the run: configuration, stages, manifest, and the commands over a finished run."""
