"""`uglyduck report`: a run as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from uglyduck.commands.arguments import FinishedRun


def report(
    run: FinishedRun,
    images: Annotated[
        Path | None, typer.Option(help="Crops for the gallery: HDF5 file or folder; by default the run's own.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="HTML file to write; RUN/report.html by default.")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Also the main pictures as one SVG file; none by default.")
    ] = None,
    data: Annotated[
        Literal["real", "simulated"] | None,
        typer.Option(help="Whether the data are real or simulated, if nothing next to them says so."),
    ] = None,
) -> None:
    """Write one HTML file about a run, which opens anywhere and loads nothing else, and the same as JSON next to it.

    Figures with intervals, the scored region of the ROC curve, calibration, fairness, the ugly ducklings, the worst
    mistakes, provenance. Any study not yet run is named with its command. It lists single lesions: protect it like the
    data.

    Example: `uglyduck report runs/first --images isic-2024-challenge/train-image.hdf5`
    """
    from cohort.stores.opening import open_store
    from engine.console import log, start_logging
    from engine.files import write_json, write_text
    from engine.outputs import try_file
    from submissions.report.building import pictured
    from submissions.report.page import render_page
    from submissions.report.poster import poster
    from submissions.report.thumbnails import thumbnails
    from uglyduck.studies.report import pages_of_patients, report_of

    start_logging()
    for written in (out, picture):
        if written is not None:
            try_file(written)
    store = None if images is None else open_store(images)
    opened, content = report_of(run, stated=data)
    if store is None and opened.config.data.images is not None:
        store = open_store(opened.config.data.images)
    pictures = {} if store is None else thumbnails(store, pictured(content))
    page = out or opened.folder.root / "report.html"
    write_json(content, page.with_suffix(".json"))
    write_text(render_page(content, pictures, pages_of_patients(opened, page)), page)
    if picture is not None:
        write_text(poster(content), picture)
    log.info("%s: %.1f MB, %d crops. A research tool, not a diagnosis.", page, page.stat().st_size / 1e6, len(pictures))
