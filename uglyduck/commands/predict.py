"""`uglyduck predict`: a submission for new lesions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uglyduck.commands.arguments import FinishedRun, ImageScores, Join, Strict


def predict(
    run: FinishedRun,
    metadata: Annotated[Path, typer.Option(help="Table of the lesions to score, with or without labels.")],
    out: Annotated[Path, typer.Option(help="Submission to write.")] = Path("submission.csv"),
    groups: Annotated[Path | None, typer.Option(help="ISIC 2018: which images show one lesion.")] = None,
    images: Annotated[Path | None, typer.Option(help="Crops of these lesions: HDF5 file or folder.")] = None,
    image_scores: ImageScores = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Score a table that lacks most of what the models go by, too.")
    ] = False,
    join: Join = None,
    strict: Strict = False,
) -> None:
    """Score new lesions and write `submission.csv` in the order of their table.

    Crops are scored by the mean of the run's fold models. A crop or a value that cannot be read counts as missing, and
    a line says which. A table that lacks columns with more than half of the models' gain is refused unless --anyway is
    said. A research tool: a score is no diagnosis.

    Example: `uglyduck predict runs/first --metadata test-metadata.csv --images test-image.hdf5`
    """
    import polars as pl

    from engine.console import log, start_logging
    from engine.outputs import try_file
    from submissions.submission import write_submission
    from uglyduck.run.new_lesions import read_new_lesions
    from uglyduck.run.run import open_run
    from uglyduck.studies.ranking import differences
    from uglyduck.terminal.cautions import show_cautions
    from uglyduck.terminal.images import showing_progress

    start_logging()
    try_file(out)
    opened = open_run(run)
    fitted, cohort = opened.fitted(), read_new_lesions(opened, metadata, groups=groups, join=join or (), strict=strict)
    with showing_progress():
        scored = fitted.image_table(cohort.frame["isic_id"], crops=images, scored=image_scores)
    scores = fitted.score(cohort.frame, scored, anyway=anyway).select("isic_id", pl.col("blend").alias("score"))
    found = differences(opened, fitted, cohort.frame, scored, scores)
    written = write_submission(scores.rename({"score": "target"}), cohort.given_order, out, dataset=cohort.dataset)
    log.info("%s lesions scored: %s", f"{written.height:,}", out)
    show_cautions(found)
