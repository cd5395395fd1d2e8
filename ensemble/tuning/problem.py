"""What is tuned on what: one learner of a run's plan, with the run's features, frozen patient folds and samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from cv_folds.metrics import partial_auc
from engine.errors import InputError
from engine.files import fingerprint
from ensemble.jobs import Job, JobRunner, Table
from ensemble.learners import Learner
from ensemble.out_of_fold import Plan
from ensemble.tuning.spaces import SPACES, Range

Rows = npt.NDArray[np.intp]
Scores = npt.NDArray[np.float64]
LEFT_OUT = -1


@dataclass(frozen=True)
class Problem:
    """A learner and the data its parameters are judged on.

    Attributes:
        plan: How a run trains; every trial uses its seeds.
        learner: The learner's name in the plan.
        table: Features, labels and weights of all lesions.
        patient: Patient of each lesion, shape (lesions,).
        fold: Fold of each lesion, shape (lesions,); -1 for a lesion that is neither trained on nor scored.
    """

    plan: Plan
    learner: str
    table: Table
    patient: pl.Series
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
    def folds(self) -> list[int]:
        """Fold numbers, ascending."""
        return [int(fold) for fold in np.unique(self.fold[self.fold != LEFT_OUT])]

    @property
    def fingerprint(self) -> str:
        """Differs if trials of an older study are not comparable with new ones."""
        names = [job.name(self.table) for fold in self.folds for job in self.jobs(self.current, fold)]
        return fingerprint({"models": names, "space": [repr(each) for each in self.space]})

    def without(self, fold: int) -> Problem:
        """The same problem without one fold; the other folds serve as inner folds."""
        return replace(self, fold=np.where(self.fold == fold, LEFT_OUT, self.fold).astype(np.int8))

    def configured(self, chosen: Mapping[str, Any]) -> Learner:
        """The learner with `chosen` over the run's parameters."""
        return self.current.configured({**self.current.parameters, **chosen})

    def rows(self, fold: int) -> Rows:
        """Positions of a fold's lesions."""
        return np.flatnonzero(self.fold == fold)

    def jobs(self, learner: Learner, fold: int) -> list[Job]:
        """Jobs, one per seed, that train on the rows a run would draw from the other folds and score this one."""
        plan = replace(self.plan, learners={self.learner: learner})
        others, score = np.flatnonzero((self.fold != fold) & (self.fold != LEFT_OUT)), self.rows(fold)
        jobs = []
        for seed in plan.seeds:
            draw, label = (seed, 0, fold), f"{self.learner}/fold{fold}-seed{seed}"
            train = plan.sample(self.table.target, others, draw)
            jobs.append(plan.job(self.learner, self.table, train=train, score=score, draw=draw, label=label))
        return jobs

    def score(self, learner: Learner, folds: Sequence[int], runner: JobRunner, *, title: str | None = None) -> Scores:
        """Score folds by models trained without them; what the result store holds is not trained again.

        Args:
            learner: The learner with its parameters.
            folds: The folds to score.
            runner: Runs the jobs.
            title: See `JobRunner.run`.

        Returns:
            The mean score over the seeds, shape (lesions,); NaN for lesions of other folds.
        """
        scores = np.full(len(self.fold), np.nan)
        scores[np.isin(self.fold, folds)] = 0.0
        jobs = [job for fold in folds for job in self.jobs(learner, fold)]
        for job, outcome in zip(jobs, runner.run(jobs, self.table, title=title), strict=True):
            scores[job.score] += outcome.scores
        return scores / len(self.plan.seeds)

    def pauc(self, scores: Scores, fold: int) -> float:
        """Partial AUC of a fold's lesions above 80 % sensitivity; 0 to 0.2."""
        rows = self.rows(fold)
        return partial_auc(self.table.target[rows], scores[rows])
