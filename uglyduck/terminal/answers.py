"""How a command answers: one JSON object for a program, tables and lines for a reader."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console


def answer(result: dict[str, Any], show: Callable[[dict[str, Any]], object], *, as_json: bool) -> None:
    """Print a result as one JSON object, or as `show` does."""
    if as_json:
        text = json.dumps(result, ensure_ascii=False, allow_nan=False)
        # A path may have bytes that are not UTF-8: escaped as Python does, they are JSON.
        typer.echo(text.encode("utf-8", "backslashreplace").decode())
    else:
        show(result)


def console(width: int) -> Console:
    """The console that tables are printed on: the terminal, or `width` columns if the output is not one."""
    from rich.console import Console  # noqa: PLC0415 - JSON is printed sooner without

    return Console(width=None if sys.stdout.isatty() else width, highlight=False)


def say_notes(notes: list[str]) -> None:
    """Print what to keep in mind, one line each."""
    for note in notes:
        typer.echo(f"note: {note}")
