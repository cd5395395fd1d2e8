"""What is tuned on what: one learner of a run's plan, on the run's features, frozen patient folds and samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from cv_folds.metrics import partial_auc
from engine.errors import InputError
from engine.files import fingerprint
from ensemble.jobs import Job, Table
from ensemble.jobs.fitting import Batch, do_batch
from ensemble.learners import Learner
from ensemble.matrix import Matrix
from ensemble.out_of_fold import Plan
from ensemble.tuning.spaces import SPACES, Range

Rows = npt.NDArray[np.intp]
Scores = npt.NDArray[np.float32]
LEFT_OUT = -1


@dataclass(frozen=True)
class Problem:
    """A learner and the data its parameters are judged on.

    Attributes:
        plan: How a run trains; its seeds are those of every trial.
        learner: The learner's name in the plan.
        matrix: Features, shape (lesions, features).
        keys: isic_id, patient_id and target, in the order of the matrix.
        fold: Fold of each lesion, shape (lesions,); -1 for a lesion that is neither trained on nor scored.
    """

    plan: Plan
    learner: str
    matrix: Matrix
    keys: pl.DataFrame
    fold: npt.NDArray[np.int8]

    @property
    def current(self) -> Learner:
        """The learner with the run's parameters.

        Raises:
            InputError: The run trains no such learner.
        """
        if self.learner not in self.plan.learners:
            raise InputError(
                f"the run trains no {self.learner!r}",
                where="--learner",
                remedy=f"use one of {', '.join(self.plan.learners)}",
            )
        return self.plan.learners[self.learner]

    @property
    def space(self) -> tuple[Range, ...]:
        """Where the learner's parameters are searched.

        Raises:
            InputError: No space is known for this learner.
        """
        name = self.current.name
        if name not in SPACES:
            raise InputError(
                f"no search space for {name!r}", where="--learner", remedy=f"tune one of {', '.join(SPACES)}"
            )
        return SPACES[name]

    @property
    def target(self) -> npt.NDArray[np.int8]:
        """0 benign, 1 malignant; shape (lesions,)."""
        return np.asarray(self.keys["target"], dtype=np.int8)

    @property
    def folds(self) -> list[int]:
        """Fold numbers, ascending."""
        return [int(fold) for fold in np.unique(self.fold[self.fold != LEFT_OUT])]

    @property
    def fingerprint(self) -> str:
        """Changes when trials of an older study could not be compared with new ones."""
        jobs = [self._job(self.current, fold, seed) for fold in self.folds for seed in self.plan.seeds]
        table, searched = self.table, [repr(each) for each in self.space]
        return fingerprint({"models": [job.name(table) for job in jobs], "space": searched})

    def without(self, fold: int) -> Problem:
        """The same problem with one fold left out altogether: its other folds serve as inner folds."""
        return replace(self, fold=np.where(self.fold == fold, LEFT_OUT, self.fold).astype(np.int8))

    def configured(self, chosen: Mapping[str, Any]) -> Learner:
        """The learner with `chosen` over the run's parameters."""
        return self.current.configured({**self.current.parameters, **chosen})

    def score_fold(self, learner: Learner, fold: int, *, threads: int) -> tuple[Rows, Scores]:
        """Train on every other fold, on the rows a run would draw, and score this one.

        Returns:
            Row positions of the fold, and the mean score over the seeds, float32 as it is stored.
        """
        rows = np.flatnonzero(self.fold == fold)
        jobs = [self._job(learner, fold, seed) for seed in self.plan.seeds]
        total = np.zeros(len(rows))
        for job in jobs:
            total += do_batch(self.table, Batch((job,), (False,)), threads)[0].scores
        return rows, (total / len(jobs)).astype(np.float32)

    def _job(self, learner: Learner, fold: int, seed: int) -> Job:
        plan = replace(self.plan, learners={self.learner: learner})
        others = np.flatnonzero((self.fold != fold) & (self.fold != LEFT_OUT))
        draw = (seed, 0, fold)
        train = plan.sample(self.target, others, draw)
        score = np.flatnonzero(self.fold == fold)
        return plan.job(self.learner, self.table, train=train, score=score, draw=draw, label=f"fold{fold}-seed{seed}")

    @property
    def table(self) -> Table:
        """What the jobs read."""
        return Table(self.matrix, self.target)

    def pauc(self, rows: Rows, scores: Scores) -> float:
        """Partial AUC above 80 % sensitivity of these rows; 0 to 0.2."""
        return partial_auc(self.target[rows], scores.astype(np.float64))
