"""The models stage: every learner, trained without each fold in turn."""

from __future__ import annotations

from pathlib import Path

from ensemble.model_store import ModelStore
from ensemble.out_of_fold import train
from uglyduck.run.run import Run
from uglyduck.stages.stage import Stage


def _train(run: Run) -> list[Path]:
    store = ModelStore(run.folder.models)
    train(run.plan, run.table, run.runner, store=store)
    return store.files()


MODELS = Stage(
    "models",
    __name__,
    _train,
    artifacts=lambda run: [run.folder.lesions, run.folder.folds, run.folder.features, run.folder.dictionary],
    settings=lambda run: run.config.ensemble.model_dump(exclude={"blend"}),
)
