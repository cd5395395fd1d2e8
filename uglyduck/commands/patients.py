"""`uglyduck patients`: a page per patient, to look at together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uglyduck.commands.arguments import Anyway, Confidence, FinishedRun, Groups, Join, Sensitivity, Strict, Top


def patients(
    run: FinishedRun,
    metadata: Annotated[
        Path | None, typer.Option(help="Table of the lesions; without it, the run's own lesions out of fold.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Crops of these lesions: HDF5 file or folder; without a table, the run's own.")
    ] = None,
    image_scores: Annotated[
        Path | None, typer.Option(help="Scores of these crops, so that they are only shown: Parquet of isic_id, score.")
    ] = None,
    top: Top = None,
    sensitivity: Sensitivity = None,
    confidence: Confidence = None,
    first: Annotated[
        int | None, typer.Option(help="Write pages for only this many patients, those of highest risk.", min=1)
    ] = None,
    anyway: Anyway = False,
    groups: Groups = None,
    join: Join = None,
    strict: Strict = False,
    out: Annotated[Path | None, typer.Option(help="Folder to fill; RUN/patients by default.")] = None,
) -> None:
    """Write an index of patients in order of risk, and a page for each: body map, short list, reasons, risk in words.

    Each page is one HTML file that opens anywhere and loads nothing else. It shows single lesions: protect it like the
    data. A research tool, not a diagnosis.

    Example: `uglyduck patients runs/first --metadata clinic.csv --images crops.hdf5 --out pages`
    """
    from engine.console import log, start_logging
    from engine.outputs import try_folder
    from submissions.suitability import say
    from uglyduck.run.run import open_run
    from uglyduck.studies.new_lesions import NewTable
    from uglyduck.studies.patients import pages_of
    from uglyduck.studies.ranking import choose_shortlist

    start_logging()
    opened = open_run(run)
    folder = out or opened.folder.patients
    try_folder(folder)
    shortlist = choose_shortlist(
        opened, top=top, sensitivity=sensitivity, confidence=confidence, loss="share", by="rank"
    )
    table = NewTable.named(metadata, image_scores=image_scores, groups=groups, join=join, strict=strict, anyway=anyway)
    pages, lesions = pages_of(opened, shortlist, table=table, images=images)
    count = pages.write(lesions, folder, first=first, made_from=opened.state)
    log.info("%s pages: %s. A research tool, not a diagnosis.", f"{count:,}", folder / "index.html")
    say(pages.cautions)
