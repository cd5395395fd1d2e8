"""`uglyduck run`: every stage, resumable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def run(
    config: Annotated[Path, typer.Argument(help="TOML configuration; two lines are enough.", metavar="CONFIG.toml")],
    out: Annotated[
        Path | None, typer.Option(help="Run folder; by default runs/NAME next to the configuration.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Last stage: lesions, folds, images, features, models, scores or metrics.")
    ] = None,
    engine: Annotated[
        Literal["local", "ray"] | None, typer.Option(help="Where this command works, in place of [compute] engine.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Of a running Ray cluster: host:port, or auto for this machine's.")
    ] = None,
    nested: Annotated[
        bool, typer.Option("--nested", help="Also the fully nested estimate; takes two to three times as long.")
    ] = False,
) -> None:
    """Run every stage: lesions, folds, image scores if crops are given, features, models, scores, metrics.

    A stage whose inputs, settings and code have not changed is skipped, so a killed run resumes where it stopped.

    Figures are out of fold: no score comes from a model that saw the patient, but blend weights and risks are fitted
    across folds. With `--nested` these too are learned without the patient, and the difference is stated.

    Example: `uglyduck run isic2024.toml --out runs/first`
    """
    from engine.console import start_logging
    from engine.errors import InputError
    from uglyduck.stages.running import filling, run_stages
    from uglyduck.studies.nested import NESTED
    from uglyduck.terminal.metrics import show_metrics, show_nested

    if nested and until not in (None, "metrics"):
        raise InputError("--nested needs every stage", where="--until", remedy="leave --until out")
    start_logging()
    with filling(config, out, engine=engine, address=address) as opened:
        run_stages(opened, until=until)
        if nested:
            NESTED.run(opened)
    if until in (None, "metrics"):
        show_metrics(opened.folder)
    if nested:
        show_nested(opened.folder)
