"""`uglyduck card`: a model card of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from uglyduck.commands.arguments import FinishedRun


def card(
    run: FinishedRun,
    out: Annotated[Path | None, typer.Option(help="Markdown file to write; RUN/model-card.md by default.")] = None,
    data: Annotated[
        Literal["real", "simulated"] | None,
        typer.Option(help="Whether the data are real or simulated, if nothing next to them says so."),
    ] = None,
) -> None:
    """Write a model card under the TRIPOD+AI headings, as Markdown and as JSON next to it.

    Filled from the run: intended use, data and licences, who is missing from the data, figures with intervals, limits,
    provenance. What a run cannot know, such as ethical approval, is marked as missing.

    Example: `uglyduck card runs/first`
    """
    from engine.console import log, start_logging
    from engine.files import write_json, write_text
    from engine.outputs import try_file
    from submissions.model_card import as_markdown, model_card
    from uglyduck.studies.report import report_of

    start_logging()
    if out is not None:
        try_file(out)
    opened, content = report_of(run, stated=data)
    written = model_card(content)
    page = out or opened.folder.root / "model-card.md"
    write_json(written, page.with_suffix(".json"))
    write_text(as_markdown(written), page)
    log.info("%s. A research tool, not a diagnosis.", page)
