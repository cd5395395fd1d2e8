"""What a bundle's kernel runs: `uglyduck predict` without the command line's libraries, which its machine may lack."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from cohort.frames import ID
from cohort.mapping import ColumnSource
from cohort.reading import read_cohort
from engine.console import log, start_logging
from engine.errors import InputError
from engine.outputs import as_input_error
from image_embeddings.progress import listening
from submissions.crops import Compute
from submissions.fitted_run import FittedRun
from submissions.submission import write_submission
from submissions.suitability import cautions

_EVERY = 60.0  # seconds between two lines about crops


@dataclass
class _Lines:
    """A line a minute: how many crops are done."""

    last: float = field(default_factory=time.monotonic)

    def __call__(self, title: str, done: int, total: int) -> None:
        if time.monotonic() - self.last > _EVERY:
            self.last = time.monotonic()
            log.info("%s  %s of %s crops", title, f"{done:,}", f"{total:,}")


def score(arguments: argparse.Namespace) -> None:
    """Score the lesions of a table and write the submission.

    Raises:
        InputError: The run, the table or the crops cannot be read.
    """
    fitted = FittedRun.load(arguments.run, Compute(os.cpu_count() or 1))
    kept = [model for model in fitted.image_models if model.name not in arguments.without]
    fitted = replace(fitted, image_models=kept)
    cohort = read_cohort(arguments.metadata, ungrouped=arguments.ungrouped, columns=arguments.columns, odd="missing")
    with listening(_Lines()):
        images = fitted.image_table(cohort.frame[ID], crops=arguments.images)
    scores = fitted.score(cohort.frame, images, anyway=True).select(ID, score=pl.col("blend"))
    for line in (*cohort.odd, *cautions(fitted, cohort.frame, images, scores, out_of_fold=None)):
        log.warning("%s", line)
    written = write_submission(
        scores.rename({"score": "target"}), cohort.given_order, arguments.out, dataset=cohort.dataset
    )
    log.info("%s lesions scored", f"{written.height:,}")


def parser() -> argparse.ArgumentParser:
    """Of the arguments that the kernel gives."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("run", type=Path)
    for name in ("metadata", "out"):
        made.add_argument(f"--{name}", type=Path, required=True)
    made.add_argument("--images", type=Path)
    made.add_argument("--ungrouped", action="store_true")
    made.add_argument("--columns", type=_columns, default={}, metavar="JSON")
    made.add_argument("--without", action="append", default=[], metavar="IMAGE-MODEL")
    return made


def _columns(text: str) -> dict[str, ColumnSource]:
    """The mapping that the manifest of a bundle states."""
    stated: dict[str, dict[str, Any]] = json.loads(text)
    for source in stated.values():
        source.update({key: tuple(value) for key, value in source.items() if isinstance(value, list)})
    return {name: ColumnSource(**source) for name, source in stated.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Score; exit status 0 done, 2 the input is wrong, 1 a defect."""
    start_logging()
    try:
        score(parser().parse_args(arguments))
    except Exception as error:
        refused = error if isinstance(error, InputError) else as_input_error(error)
        if refused is None:
            raise
        log.error("%s", refused)
        sys.exit(2)


if __name__ == "__main__":
    main()
