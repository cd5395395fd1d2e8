"""The command line: which commands there are, and how an error becomes one line and an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Annotated

import typer

from engine.errors import InputError
from engine.memory import share_heaps
from engine.outputs import as_input_error
from uglyduck.commands.ablate import ablate
from uglyduck.commands.arguments import PlainCommand, PlainGroup
from uglyduck.commands.bundle import bundle
from uglyduck.commands.card import card
from uglyduck.commands.check import check
from uglyduck.commands.clean import clean
from uglyduck.commands.compare import compare
from uglyduck.commands.demo import demo
from uglyduck.commands.explain import explain
from uglyduck.commands.features import features
from uglyduck.commands.hospitals import hospitals
from uglyduck.commands.images import images
from uglyduck.commands.patients import patients
from uglyduck.commands.predict import predict
from uglyduck.commands.rank import rank
from uglyduck.commands.report import report
from uglyduck.commands.robustness import robustness
from uglyduck.commands.run import run
from uglyduck.commands.score import score
from uglyduck.commands.simulate import simulate
from uglyduck.commands.tune import tune
from uglyduck.commands.validate import validate

# OpenMP reads this when a boosting library is loaded: waiting threads sleep. When they spun, training next to other
# busy processes took 10 to 30 times as long on 2 cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
share_heaps()

app = typer.Typer(
    name="uglyduck",
    cls=PlainGroup,
    help="Rank skin lesions by their risk of being malignant. A research tool, not a diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (
    demo,
    simulate,
    check,
    run,
    score,
    predict,
    validate,
    rank,
    patients,
    report,
    card,
    features,
    tune,
    ablate,
    compare,
    explain,
    hospitals,
    bundle,
    robustness,
    clean,
):
    app.command(cls=PlainCommand)(_command)
app.add_typer(images, name="images")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - help is shown sooner without

        typer.echo(f"uglyduck {version('uglyduck-triage')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@cache
def _commands() -> Callable[..., object]:
    """The commands, built once: typer would read every signature anew on each call."""
    return typer.main.get_command(app)


def main() -> None:
    """Run the command line; exit status 0 if done, 2 if the input is wrong, 1 for a defect."""
    try:
        _commands()(prog_name="uglyduck")
    except InputError as error:
        refused: InputError | None = error
    except Exception as error:
        refused = as_input_error(error)  # a full disk or a lack of permission, whichever library reports it
        if refused is None:
            raise
    else:
        return
    print(f"uglyduck: {refused}", file=sys.stderr)  # noqa: T201 - the one line a user reads
    sys.exit(2)
