"""`uglyduck demo`: the main job from nothing, on a simulated cohort."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# Fewer folds and features than the defaults, so that a newcomer waits a minute, not ten.
_CONFIG = """[data]
metadata = "data/train-metadata.csv"
truth = "data/truth.parquet"
[folds]
n_folds = 3
[features]
groups = ["basic", "tbp", "patient.z", "context"]
[ensemble.parameters.catboost]
n_trees = 100
"""


def demo(
    out: Annotated[Path, typer.Option(help="Folder to fill.")] = Path("demo"),
    lesions: Annotated[int, typer.Option(help="Training lesions to simulate.", min=2_000)] = 20_000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.", min=0)] = 0,
) -> None:
    """Simulate a cohort, run every stage, score its test lesions, and print where things are.

    Every number it prints is of a simulated cohort, one in 200 of whose lesions is malignant: five times as many as in
    SLICE-3D, so that a small cohort shows something.

    Example: `uglyduck demo --out demo`
    """
    from cohort.files import atomic_path
    from cohort.simulator import write_folder
    from uglyduck.commands.predict import predict
    from uglyduck.commands.run import run
    from uglyduck.console import log, start_logging

    start_logging()
    data, results = out / "data", out / "run"
    log.info("simulating %s lesions in %s", f"{lesions:,}", data)
    write_folder(data, lesions, seed=seed, malignant=lesions // 200)
    with atomic_path(out / "demo.toml") as temporary:
        temporary.write_text(_CONFIG, "utf-8")
    run(out / "demo.toml", out=results)
    predict(results, metadata=data / "test-metadata.csv", out=out / "submission.csv")
    typer.echo(f"\nAll of it is simulated. The run is in {results}, the submission in {out / 'submission.csv'}.")
