"""`python -m uglyduck`: the command line if the program is not on the path."""

from uglyduck.cli import main

if __name__ == "__main__":
    main()
