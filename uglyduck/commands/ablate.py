"""`uglyduck ablate`: which feature family is worth its place."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from uglyduck.commands.arguments import FinishedRun
from uglyduck.terminal.answers import answer


def ablate(
    run: FinishedRun,
    preset: Annotated[
        Literal["groups", "organisers"],
        typer.Option(help="Each feature group in turn, or the rows of the challenge organisers' table."),
    ] = "groups",
    groups: Annotated[
        str | None, typer.Option(help="Groups or parts to try, such as patient.z,context; by default all groups.")
    ] = None,
    base: Annotated[str | None, typer.Option(help="Groups that others are added to; by default basic,tbp.")] = None,
    pairs: Annotated[bool, typer.Option("--pairs", help="Also leave out each pair of groups.")] = False,
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="Only leave groups out: none alone, none added.")
    ] = False,
    learners: Annotated[
        str | None, typer.Option(help="Some of the run's learners, separated by commas; by default all.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="At most 20 benign rows for each malignant one and coarser CatBoost models.")
    ] = False,
    benign: Annotated[
        float | None, typer.Option(min=1, help="Benign training rows for each malignant one; by default the run's.")
    ] = None,
    repeats: Annotated[
        int, typer.Option(min=1, help="Repeat with other folds and seeds: an interval of the recipe, not of one fit.")
    ] = 1,
    out: Annotated[str | None, typer.Option(help="Folder under RUN/ablation; by default the preset's name.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Leave feature groups out one at a time, add them to a base, use them alone: which are worth their place?

    Every variant is trained on the run's folds, seeds and sampled lesions, and blended as the run is. Differences in
    pAUC come with paired patient-bootstrap intervals, and p values corrected for the number of comparisons; if an
    interval covers 0, the data cannot tell. With `--repeats` the intervals include what other training patients, folds,
    seeds and sampled lesions would change. An ablation that was killed resumes where it stopped.

    Example: `uglyduck ablate runs/first`

    Example: `uglyduck ablate runs/first --groups patient.z,patient.rank,context --pairs --out patient`

    Example: `uglyduck ablate runs/first --preset organisers --quick`

    Example: `uglyduck ablate runs/first --leave-out --repeats 5`
    """
    from engine.console import start_logging
    from uglyduck.run.run import open_run
    from uglyduck.studies.ablation import Request, ablate_run
    from uglyduck.terminal.comparison import show_comparison

    start_logging()
    opened = open_run(run)
    request = Request(
        preset=preset,
        groups=_names(groups),
        base=_names(base),
        pairs=pairs,
        leave_out=leave_out,
        learners=_names(learners),
        benign=benign,
        quick=quick,
        name=out,
        repeats=repeats,
    )
    with opened.folder.locked():
        report = ablate_run(opened, request)
    answer(report, lambda found: show_comparison(found, request.folder(opened)), as_json=as_json)


def _names(listed: str | None) -> tuple[str, ...] | None:
    return None if listed is None else tuple(name.strip() for name in listed.split(",") if name.strip())
