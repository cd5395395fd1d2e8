"""A model whose contributions are known by construction, and a small trained ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.executors import LocalExecutor
from engine.results import ResultStore
from ensemble.jobs import JobRunner, Table
from ensemble.learners import get_learner
from ensemble.matrix import FeatureSpace, Matrix
from ensemble.model_store import ModelStore
from ensemble.out_of_fold import Plan, train
from tests.ensemble.learners.contract import lesions

Floats = npt.NDArray[np.float64]
FRAME, TARGET = lesions()
MATRIX = FeatureSpace.fit(FRAME).encode(FRAME)
PATIENT = np.repeat(np.arange(60), 10)
FOLD = (PATIENT % 3).astype(np.int8)
LEARNERS = ("lightgbm", "xgboost", "catboost")


@dataclass(frozen=True)
class Linear:
    """Log odds are base + values: each feature's contribution is its value."""

    space: FeatureSpace
    base: float = 0.0

    def predict(self, matrix: Matrix, *, threads: int) -> Floats:
        return 1 / (1 + np.exp(-self.contributions(matrix, threads=threads).sum(axis=1)))

    def contributions(self, matrix: Matrix, *, threads: int) -> Floats:
        values = matrix.for_model(self.space).astype(np.float64)
        return np.column_stack([values, np.full(len(values), self.base)])

    def gain(self) -> Floats:
        return np.full(len(self.space.names), 1 / len(self.space.names))

    def save(self, path: Path) -> None:
        path.write_text(str(self.base))


def trained(
    folder: Path, *, seeds: tuple[int, ...] = (0,), repeats: int = 1, target: npt.NDArray[np.int8] = TARGET
) -> Plan:
    """A plan whose models lie in `folder`; patients of ten lesions, three folds."""
    learners = {name: get_learner(name, {"n_trees": 8}) for name in LEARNERS}
    folds = [((PATIENT // 3**repeat) % 3).astype(np.int8) for repeat in range(repeats)]
    plan = Plan(learners, folds, seeds, 2.0)
    train(plan, Table(MATRIX, target), runner(folder), store=ModelStore(folder))
    return plan


def runner(folder: Path) -> JobRunner:
    """Does jobs; their results lie in `folder`."""
    return JobRunner(ResultStore(folder / "results"), LocalExecutor(1))
