"""What a bundle's kernel runs: `uglyduck predict` without the command line's libraries, which its machine may lack."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cohort.frames import ID
from cohort.mapping import ColumnSource
from cohort.reading import read_cohort
from engine.console import log, showing_progress, start_logging
from engine.errors import InputError
from engine.files import read_json
from engine.memory import share_heaps
from engine.outputs import as_input_error
from ensemble.run_checks.new_lesions import ScoreScale
from submissions.crops import Compute
from submissions.fitted_run import FittedRun
from submissions.submission import write_submission
from submissions.suitability import cautions, say


def score(arguments: argparse.Namespace) -> None:
    """Score the lesions of a table and write the submission.

    Raises:
        InputError: The run, the table or the crops cannot be read.
    """
    about = read_json(arguments.run.parent / "MANIFEST.json")
    fitted = FittedRun.load(arguments.run, Compute(os.cpu_count() or 1))
    kept = [model for model in fitted.image_models if model.name not in arguments.without]
    fitted = replace(fitted, image_models=kept)
    columns = read_columns(about["columns"])
    cohort = read_cohort(
        arguments.metadata, ungrouped=about["ungrouped"], columns=columns, all_text=False, odd="missing"
    )
    for line in cohort.odd:
        log.warning("%s", line)
    with showing_progress():
        images = fitted.image_table(cohort.frame[ID], crops=arguments.images)
    scores = fitted.score(cohort.frame, images, anyway=True, warn=False).select(ID, score="blend")
    scales = {name: ScoreScale.from_dict(scale) for name, scale in about["scales"].items()}
    found = cautions(fitted, cohort.frame, images, scores, lambda column, _: scales.get(column))
    written = write_submission(
        scores.rename({"score": "target"}), cohort.given_order, arguments.out, dataset=cohort.dataset
    )
    log.info("%s lesions scored", f"{written.height:,}")
    say(found)


def read_columns(stated: dict[str, dict[str, Any]]) -> dict[str, ColumnSource]:
    """The mapping of columns that the bundle's manifest states."""
    for source in stated.values():
        source.update({key: tuple(value) for key, value in source.items() if isinstance(value, list)})
    return {name: ColumnSource(**source) for name, source in stated.items()}


def parser() -> argparse.ArgumentParser:
    """The parser of the arguments that the kernel passes."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("run", type=Path, help="in a bundle, next to its MANIFEST.json")
    for name in ("metadata", "out"):
        made.add_argument(f"--{name}", type=Path, required=True)
    made.add_argument("--images", type=Path)
    made.add_argument("--without", action="append", default=[], metavar="IMAGE-MODEL")
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Score; exits with status 0 when done, 2 if the input is wrong, 1 for a defect."""
    start_logging()
    share_heaps()
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
