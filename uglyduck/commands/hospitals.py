"""`uglyduck hospitals`: how well models rank a hospital that they never saw."""

from __future__ import annotations

from typing import Annotated

import typer

from uglyduck.commands.arguments import FinishedRun
from uglyduck.terminal.answers import answer


def hospitals(
    run: FinishedRun,
    fewest: Annotated[int, typer.Option(min=1, help="Malignant lesions a hospital needs for figures.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Leave one hospital out at a time: train the run's learners without it, score it, compare with the patient folds.

    Patient folds show how well new patients of the same hospitals are ranked; this shows it for a new hospital. Neither
    the models nor the features' constants know anything of the hospital held out, not even its name (the blend's scale
    is the only trace of it, see docs/hospitals.md). Each model is kept, so a killed command resumes where it stopped.
    Both sides are measured on the same lesions, with paired patient-bootstrap intervals, in `RUN/hospitals.json`. A
    research tool, not a diagnosis.

    Example: `uglyduck hospitals runs/first`
    """
    from engine.console import start_logging
    from uglyduck.run.run import open_run
    from uglyduck.studies.hospitals import leave_hospitals_out
    from uglyduck.terminal.hospitals import show_hospitals

    start_logging()
    opened = open_run(run)
    with opened.folder.locked():
        found = leave_hospitals_out(opened, fewest=fewest)
    answer(found, show_hospitals, as_json=as_json)
