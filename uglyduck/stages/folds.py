"""The folds stage: which patients are held out together."""

from __future__ import annotations

from pathlib import Path

from cv_folds.folds import make_folds
from uglyduck.run.run import Run
from uglyduck.stages.stage import Stage


def _make(run: Run) -> list[Path]:
    settings = run.config.folds
    made = make_folds(
        run.lesions.frame,
        scheme=settings.scheme,
        n_folds=settings.n_folds,
        n_repeats=settings.n_repeats,
        seed=settings.seed,
    )
    made.write(run.folder.folds)
    return [run.folder.folds]


FOLDS = Stage(
    "folds",
    __name__,
    _make,
    artifacts=lambda run: [run.folder.lesions],
    settings=lambda run: run.config.folds.model_dump(),
)
