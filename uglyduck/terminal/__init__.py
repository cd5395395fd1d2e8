"""What is shown on a terminal: tables and figures with their intervals."""
