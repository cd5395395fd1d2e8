"""Arguments that several commands share, and how help shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from engine.errors import InputError


def _holding_a_run(folder: Path) -> Path:
    """The folder, if a run lies there: said before anything heavy is imported."""
    if not (folder / "config.toml").is_file():
        raise InputError(
            "this folder holds no run", where=str(folder), remedy="make one with `uglyduck run CONFIG.toml`"
        )
    return folder


FinishedRun = Annotated[Path, typer.Argument(help="Folder of a finished run.", metavar="RUN", callback=_holding_a_run)]


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
