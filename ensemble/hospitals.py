"""Leave one hospital out: each hospital is scored by models that never saw a lesion taken there, nor its name.

Patient folds tell how well new patients of the same hospitals are ranked. A new hospital has another camera, other
lighting and other patients; to estimate that, whole hospitals are held out. Cohort constants of the features, category
levels and models are learned without the held-out hospital. The blend is fitted on other hospitals' lesions, but on
out-of-fold scores from the run's models, which also trained on the held-out hospital: the only trace that it leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.frames import collect, join_by_id
from cv_folds.folds import Folds, make_folds
from cv_folds.schemes import HOSPITAL
from engine.errors import InputError
from ensemble.jobs import JobRunner, Table
from ensemble.matrix import FeatureSpace
from ensemble.out_of_fold import Plan

Scores = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Target = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Hospitals:
    """Which lesions are held out with which hospital.

    A patient seen at two hospitals is held out with the one that took most of the lesions. The patient's lesions taken
    elsewhere are then neither trained on while that other hospital is held out (its cameras would be known) nor
    measured (their models trained on the hospital that took them).

    Attributes:
        folds: The hospital folds.
        home: Fold of each lesion's patient; shape (lesions,).
        taken: Fold of the hospital where each lesion was taken, or the patient's fold if not stated; (lesions,).
    """

    folds: Folds
    home: npt.NDArray[np.int8]
    taken: npt.NDArray[np.int8]

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Hospitals:
        """Hold out each hospital of a cohort; those without malignant lesions join the one with the fewest.

        Args:
            frame: isic_id, patient_id, target and attribution, in any order; the arrays follow it.

        Raises:
            InputError: There is no attribution, a patient has none, or fewer than two hospitals have malignant lesions.
        """
        folds = make_folds(frame, scheme="leave-one-hospital-out", without_malignant="merge")
        rows = join_by_id(frame.select("isic_id", HOSPITAL), folds.frame.select("isic_id", "fold"))
        visits = collect(rows.lazy().drop_nulls(HOSPITAL).group_by(HOSPITAL, "fold").agg(pl.len().alias("lesions")))
        fold_of = visits.sort("lesions", "fold", descending=[True, False]).unique(HOSPITAL, keep="first")
        known = dict(zip(fold_of[HOSPITAL], fold_of["fold"], strict=True))
        taken = rows[HOSPITAL].replace_strict(known, default=None, return_dtype=pl.Int8).fill_null(rows["fold"])
        return cls(folds, rows["fold"].to_numpy(), taken.to_numpy())

    def held_out(self, fold: int) -> Flags:
        """Lesions to score while this hospital is held out: those of its patients; shape (lesions,)."""
        return np.asarray(self.home == fold)

    def trained_on(self, fold: int) -> Flags:
        """Lesions that may be learned from meanwhile: other patients', taken elsewhere; shape (lesions,)."""
        return np.asarray((self.home != fold) & (self.taken != fold))

    def table(self, fold: int, features: pl.DataFrame, target: Target, weight: Scores | None) -> Table:
        """What the jobs of a hospital read; a category found only in its own lesions is unknown.

        Args:
            fold: The hospital.
            features: `isic_id` and features of every lesion, fitted without the hospital, in the order of the arrays.
            target: 0 benign, 1 malignant, shape (lesions,).
            weight: Training weight of each lesion; None weights all alike.
        """
        space = FeatureSpace.fit(features, learned_from=self.trained_on(fold))
        return Table(space.encode(features), target, weight)

    @property
    def measured(self) -> Flags:
        """Lesions that count in figures: taken at the hospital held out with their patient; shape (lesions,)."""
        return np.asarray(self.home == self.taken)


def score_hospital(
    plan: Plan,
    hospitals: Hospitals,
    fold: int,
    table: Table,
    *,
    runner: JobRunner,
) -> dict[str, Scores]:
    """Train without one hospital, and score its patients' lesions.

    Args:
        plan: The run's learners, seeds and sampling; its folds are not used. Features that the table lacks are left
            out.
        hospitals: The hospitals, and who is held out with each.
        fold: The hospital.
        table: See `Hospitals.table`.
        runner: Runs the jobs.

    Returns:
        By learner, the mean over seeds of the scores of `hospitals.held_out(fold)`, each of shape (held out,).

    Raises:
        InputError: A learner sees none of the table's features.
    """
    allowed, held_out = hospitals.trained_on(fold), np.flatnonzero(hospitals.held_out(fold))
    own = _without_absent(plan, table.matrix.space.names)
    keys = list(product(plan.learners, plan.seeds))
    jobs = []
    for learner, seed in keys:
        draw = (seed, 0, fold)
        train = plan.sample(table.target, np.flatnonzero(allowed), draw)
        jobs.append(own.job(learner, table, train=train, score=held_out, draw=draw, label=f"{learner}/seed{seed}"))
    totals = {name: np.zeros(len(held_out)) for name in plan.learners}
    outcomes = runner.run(jobs, table, title=hospitals.folds.names[fold])
    for (learner, _), outcome in zip(keys, outcomes, strict=True):
        totals[learner] += outcome.scores
    return {name: total / len(plan.seeds) for name, total in totals.items()}


def _without_absent(plan: Plan, names: Sequence[str]) -> Plan:
    """The plan without features that the table lacks."""
    known = set(names)
    seen = {
        name: tuple(feature for feature in seen if feature in known)
        for name, seen in plan.features.items()
        if name in plan.learners
    }
    if blind := [name for name, names in seen.items() if not names]:
        raise InputError(
            f"without what names the hospital {', '.join(blind)} sees no feature",
            where="[ensemble.members] groups",
            remedy="give it other groups",
        )
    return replace(plan, features=seen)
