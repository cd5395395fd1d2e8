"""`uglyduck robustness`: what another camera would do to the scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uglyduck.commands.arguments import run_argument
from uglyduck.terminal.answers import answer


def robustness(
    run: Annotated[Path, run_argument("Folder of a finished run with images.")],
    lesions: Annotated[
        int, typer.Option(min=1, help="Most lesions to use; whole patients, those with a malignant lesion first.")
    ] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed for choosing patients.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Perturb the training crops as a phone camera would, at three strengths, and score them out of fold.

    Lighting, white balance, blur, JPEG quality, resolution, rotation; scored by the image model with and without
    equalised contrast (CLAHE), and by the blend. Trains the image model that the run lacks; writes robustness.json and
    robustness.csv into the run. The perturbations are simulated, not photographs of patients.

    Example: `uglyduck robustness runs/first --lesions 20000`
    """
    from engine.console import log, start_logging
    from engine.files import atomic_path, write_json
    from uglyduck.run.run import open_run
    from uglyduck.studies.robustness import measure_robustness
    from uglyduck.terminal.robustness import as_table, show_robustness

    start_logging()
    opened = open_run(run)
    with opened.folder.locked():
        result = measure_robustness(opened, most=lesions, seed=seed)
        write_json(result, opened.folder.root / "robustness.json")
        with atomic_path(opened.folder.root / "robustness.csv") as temporary:
            as_table(result).write_csv(temporary)
    answer(result, show_robustness, as_json=as_json)
    log.info("robustness.json and robustness.csv are in %s", opened.folder.root)
