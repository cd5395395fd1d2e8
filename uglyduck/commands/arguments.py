"""Arguments that several commands share, and how help shows them."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from engine.console import showing_progress
from uglyduck.run.place import holding_a_run


def run_argument(words: str) -> Any:  # noqa: ANN401 - as typer's own
    """The argument RUN, refused at once if the folder holds no run."""
    return typer.Argument(help=words, metavar="RUN", callback=holding_a_run)


#: Commands that reuse their finished parts when repeated.
_GO_ON = frozenset({"run", "demo", "ablate", "compare", "hospitals", "tune", "robustness", "images train"})
FinishedRun = Annotated[Path, run_argument("Folder of a finished run.")]

Join = Annotated[
    list[Path] | None,
    typer.Option("--join", help="Table of the same lesions or patients; may be repeated."),
]
Groups = Annotated[Path | None, typer.Option(help="ISIC 2018: which images show one lesion.")]
Anyway = Annotated[
    bool,
    typer.Option("--anyway", help="Score a table even if it lacks most of what the models rely on; without risks."),
]
ImageScores = Annotated[Path | None, typer.Option(help="In place of crops: Parquet file of isic_id, score.")]
Top = Annotated[int | None, typer.Option(help="Lesions on each patient's short list; 15 by default.")]
Sensitivity = Annotated[
    float | None, typer.Option(help="Instead of a number: the shortest list that keeps this sensitivity.")
]
Confidence = Annotated[
    float | None, typer.Option(help="Confidence that the list keeps it; without this, it holds on average.")
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Refuse a value that cannot be read, instead of counting it as missing.")
]


class PlainCommand(TyperCommand):
    """A command whose help shows types plainly, and that says how to resume when stopped."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - a context of the click inside typer
        """The parameters, --help included."""
        return _in_plain_words(super().get_params(ctx), ctx)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        """Run the command and show its progress; Ctrl-C ends it with one line and status 130."""
        try:
            with showing_progress():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            how = "resumes where it stopped" if ctx.command_path.partition(" ")[2] in _GO_ON else "starts again"
            typer.echo(f"\nstopped; nothing is half-written. The same command {how}.", err=True)
            sys.stdout.flush()
            os._exit(130)  # a normal exit would wait for threads that still train


class PlainGroup(TyperGroup):
    """A group of commands whose help shows types plainly."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - a context of the click inside typer
        """The parameters, --help included."""
        return _in_plain_words(super().get_params(ctx), ctx)


def _in_plain_words(found: list[Any], ctx: Any) -> list[Any]:  # noqa: ANN401
    """Show no type for a flag, and the type of one value for an option that may be repeated."""
    for parameter in found:
        if isinstance(parameter, TyperOption) and parameter.is_flag and parameter.metavar is None:
            parameter.metavar = ""
        elif several := re.fullmatch(r"<list\[(\w+)\]>", parameter.display_type(ctx)):
            one = f"<{several[1].lower()}>"
            parameter.display_type = lambda _ctx, shown=one: shown
    return found
