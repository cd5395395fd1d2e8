"""`uglyduck predict`: a submission for new lesions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uglyduck.commands.arguments import Anyway, FinishedRun, Groups, ImageScores, Join, Strict


def predict(
    run: FinishedRun,
    metadata: Annotated[Path, typer.Option(help="Table of the lesions to score, with or without labels.")],
    out: Annotated[Path, typer.Option(help="Submission to write.")] = Path("submission.csv"),
    groups: Groups = None,
    images: Annotated[Path | None, typer.Option(help="Crops of these lesions: HDF5 file or folder.")] = None,
    image_scores: ImageScores = None,
    anyway: Anyway = False,
    join: Join = None,
    strict: Strict = False,
) -> None:
    """Score new lesions and write `submission.csv` in the order of their table.

    Crops are scored by the mean of the run's fold models. A crop or a value that cannot be read counts as missing, and
    a message says which. A table that lacks columns with more than half of the models' gain is refused unless --anyway
    is given. A research tool: a score is no diagnosis.

    Example: `uglyduck predict runs/first --metadata test-metadata.csv --images test-image.hdf5`
    """
    from engine.console import log, start_logging
    from engine.outputs import try_file
    from submissions.submission import write_submission
    from submissions.suitability import say
    from uglyduck.run.run import open_run
    from uglyduck.studies.new_lesions import NewTable

    start_logging()
    try_file(out)
    table = NewTable(metadata, images, image_scores, groups, join, strict, anyway)
    scored = table.score(open_run(run))
    scores, cautions = scored.scores.select("isic_id", target="score"), scored.cautions
    order, dataset = scored.cohort.given_order, scored.cohort.dataset
    del scored  # frees the table: matching ids takes part of its memory again
    written = write_submission(scores, order, out, dataset=dataset)
    log.info("%s lesions scored: %s", f"{written.height:,}", out)
    say(cautions)
