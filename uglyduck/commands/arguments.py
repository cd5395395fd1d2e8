"""Arguments that several commands share, and how help shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from uglyduck.run.place import holding_a_run


def run_argument(words: str) -> Any:  # noqa: ANN401 - as typer's own
    """The argument RUN, refused at once where no run lies."""
    return typer.Argument(help=words, metavar="RUN", callback=holding_a_run)


FinishedRun = Annotated[Path, run_argument("Folder of a finished run.")]

Strict = Annotated[
    bool, typer.Option("--strict", help="Refuse a table with a value that cannot be read, which else is missing.")
]


class PlainCommand(TyperCommand):
    """A command whose help names no type for an option that takes no value."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - a context of the click inside typer
        """The parameters, --help included."""
        return _without_types_of_flags(super().get_params(ctx))


class PlainGroup(TyperGroup):
    """The same for a group of commands."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - a context of the click inside typer
        """The parameters, --help included."""
        return _without_types_of_flags(super().get_params(ctx))


def _without_types_of_flags(found: list[Any]) -> list[Any]:
    for option in found:
        if isinstance(option, TyperOption) and option.is_flag and option.metavar is None:
            option.metavar = ""
    return found
