"""The folds stage: which patients are held out together."""

from __future__ import annotations

from pathlib import Path

from cv_folds.folds import Folds, make_folds
from engine.console import log
from uglyduck.run.run import Run
from uglyduck.stages.stage import Stage


def draw_folds(run: Run, repetition: int = 0) -> Folds:
    """The run's folds, or those of a repetition of it: made the same way from the next seeds."""
    settings = run.config.folds
    return make_folds(
        run.lesions.frame,
        scheme=settings.scheme,
        n_folds=settings.n_folds,
        n_repeats=settings.n_repeats,
        seed=settings.seed + repetition,
        without_malignant=settings.without_malignant,
    )


def _make(run: Run) -> list[Path]:
    made = draw_folds(run)
    made.write(run.folder.folds)
    if run.config.folds.scheme == "leave-one-hospital-out":
        _say_which(made)
    return [run.folder.folds]


def _say_which(made: Folds) -> None:
    log.info("folds     one for each hospital; n_folds and seed have no part in them")
    for row in made.summary().iter_rows(named=True):
        log.info(
            "folds     %s: %s lesions of %s patients, %s malignant",
            *(row["name"], f"{row['rows']:,}", f"{row['patients']:,}", f"{row['malignant_lesions']:,}"),
        )
    for note in made.notes:
        log.info("folds     %s", note)


FOLDS = Stage(
    "folds",
    __name__,
    _make,
    artifacts=lambda run: [run.folder.lesions],
    settings=lambda run: run.config.folds.model_dump(),
)
