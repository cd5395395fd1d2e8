"""`uglyduck compare`: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uglyduck.terminal.answers import answer


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs of the same lesions.", metavar="RUN")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    repeats: Annotated[
        int, typer.Option(min=1, help="Repeat with other folds and seeds: an interval of the recipes, not of one fit.")
    ] = 1,
    metric: Annotated[str, typer.Option(help="pauc, auc, setop15, average_precision, nnt80, …")] = "pauc",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare runs of the same lesions with the first of them, whatever their folds, features and learners.

    Differences are paired: each bootstrap draw has the same patients for all runs. Without `--repeats` an interval
    tells whether *these* out-of-fold scores differ; with it every run is trained again, with other folds and seeds, and
    the interval tells whether the recipes do. What is trained is kept with each run, so adding repeats trains only the
    new ones.

    Example: `uglyduck compare runs/first runs/second --out comparison`

    Example: `uglyduck compare runs/first runs/second runs/third --repeats 5 --out comparison`
    """
    from engine.console import start_logging
    from engine.outputs import try_folder
    from uglyduck.run.run import open_run
    from uglyduck.studies.comparison import compare_runs
    from uglyduck.studies.comparison_files import write_comparison
    from uglyduck.terminal.comparison import show_comparison

    start_logging()
    try_folder(out)
    report = compare_runs([open_run(run) for run in runs], repeats=repeats, metric=metric)
    write_comparison(report, out, "comparison")
    answer(report, lambda found: show_comparison(found, out), as_json=as_json)
