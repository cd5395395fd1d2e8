"""The command line: which commands there are, and how an error becomes one line and an exit status."""

from __future__ import annotations

import sys

import typer

from cohort.errors import InputError

app = typer.Typer(
    name="uglyduck",
    help="Rank skin lesions by risk. A research tool, not a diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def main() -> None:
    """Run the command line; exit status 0 done, 2 the input is wrong, 1 a defect."""
    try:
        app()
    except InputError as error:
        print(f"uglyduck: {error}", file=sys.stderr)  # noqa: T201 - the one line a user reads
        sys.exit(2)
