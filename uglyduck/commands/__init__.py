"""One module per command; heavy imports happen inside the command, so `--help` answers at once."""
