"""`uglyduck run`: every stage, resumable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    config: Annotated[Path, typer.Argument(help="TOML configuration; two lines are enough.", metavar="CONFIG.toml")],
    out: Annotated[Path | None, typer.Option(help="Run folder; by default runs/NAME beside the configuration.")] = None,
    until: Annotated[str | None, typer.Option(help="Last stage: folds, features, models, scores or metrics.")] = None,
) -> None:
    """Run every stage: folds, features, models, out-of-fold scores, metrics.

    A stage whose inputs, settings and code have not changed is skipped, so a killed run goes on where it stopped.

    Example: `uglyduck run isic2024.toml --out runs/first`
    """
    from uglyduck.config import load_config, write_config
    from uglyduck.console import start_logging
    from uglyduck.run import Run
    from uglyduck.run_folder import RunFolder
    from uglyduck.stages import run_stages
    from uglyduck.summary import show_metrics

    start_logging()
    settings = load_config(config)
    folder = RunFolder(out or config.parent / "runs" / config.stem)
    with folder.locked():
        write_config(settings, folder.config)
        run_stages(Run(settings, folder), until=until)
    if until in (None, "metrics"):
        show_metrics(folder)
