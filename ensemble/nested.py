"""The fully nested estimate: each patient fold is scored by what was learned, weights and risks included, without it.

The usual out-of-fold score of a lesion comes from models that never saw its patient, but the choices made on those
scores (blend weights, calibration) saw it. Here each outer fold is scored as a run on the other folds would score new
patients: features with that run's cohort constants, a model without each inner fold, weights and risks fitted on inner
out-of-fold scores, and the outer fold scored by the inner models as new lesions are.

Source: nested cross-validation after Varma and Simon, BMC Bioinformatics 7:91, 2006.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from ensemble.blend import METHODS
from ensemble.blend import Method as Blending
from ensemble.calibration import Calibration
from ensemble.calibration import Method as Calibrating
from ensemble.fusion import blended_out_of_fold, fit_blend
from ensemble.jobs import Job, JobRunner, Table
from ensemble.new_lesions import score_new_lesions
from ensemble.out_of_fold import Plan

Scores = npt.NDArray[np.float64]
Folds = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class OuterFold:
    """Scores by the models of one outer fold.

    Attributes:
        inner: By learner, the inner out-of-fold scores of the lesions outside the outer fold, in their order.
        new: By learner, for each inner fold, its models' scores of the outer fold's lesions.
    """

    inner: Mapping[str, Scores]
    new: Mapping[str, list[Scores]]


def score_outer_fold(
    plan: Plan,
    learners: Sequence[str],
    table: Table,
    outer: int,
    *,
    runner: JobRunner,
) -> OuterFold:
    """Train without the outer and each inner fold in turn, and score both.

    Args:
        plan: Learners, seeds, sampling; its first assignment holds the folds.
        learners: Which of its learners.
        table: Features as a run on the other folds would build them, and targets.
        outer: The outer fold.
        runner: Runs the jobs.
    """
    fold = plan.assignments[0]
    inner_folds = [int(each) for each in np.unique(fold) if each != outer]
    keys = list(product(learners, inner_folds, plan.seeds))
    jobs = [_job(plan, table, learner, (seed, outer, inner)) for learner, inner, seed in keys]
    outcomes = runner.run(jobs, table, title=f"fold {outer}")
    whole = {name: np.zeros(len(fold)) for name in learners}
    new = {name: [np.zeros(int((fold == outer).sum())) for _ in inner_folds] for name in learners}
    for (learner, inner, _), outcome in zip(keys, outcomes, strict=True):
        ours = int((fold == inner).sum())
        whole[learner][fold == inner] += outcome.scores[:ours] / len(plan.seeds)
        new[learner][inner_folds.index(inner)] += outcome.scores[ours:] / len(plan.seeds)
    return OuterFold({name: values[fold != outer] for name, values in whole.items()}, new)


def _job(plan: Plan, table: Table, learner: str, draw: tuple[int, int, int]) -> Job:
    """The job that scores the inner fold, then the outer one."""
    seed, outer, inner = draw
    fold = plan.assignments[0]
    train = plan.sample(table.target, np.flatnonzero((fold != outer) & (fold != inner)), draw)
    score = np.concatenate([np.flatnonzero(fold == inner), np.flatnonzero(fold == outer)])
    return plan.job(learner, table, train=train, score=score, draw=draw, label=f"{learner}/fold{inner}-seed{seed}")


def nested_scores(
    outer_folds: Mapping[int, OuterFold],
    target: npt.NDArray[np.int8],
    fold: Folds,
    *,
    blend: Blending,
    calibration: Calibrating,
    prevalence: float,
    images: Collection[str] = (),
) -> dict[str, Scores]:
    """Put the outer folds together.

    Args:
        outer_folds: For every fold, what `score_outer_fold` returned.
        target: 0 benign, 1 malignant, shape (rows,).
        fold: Fold of each lesion, shape (rows,).
        blend: The blend whose scores are calibrated.
        calibration: The method of calibration.
        prevalence: Prevalence for which risks are stated, in (0, 1).
        images: Names of the learners that see only images.

    Returns:
        Each learner, `blend_mean`, `blend_greedy`, `blend_stack`, and `risk`; each of shape (rows,).
    """
    learners = list(next(iter(outer_folds.values())).inner)
    names = [*learners, *(f"blend_{method}" for method in METHODS), "risk"]
    result = {name: np.full(len(target), np.nan) for name in names}
    for outer, scored in outer_folds.items():
        here = fold == outer
        for method in METHODS:
            fitted = fit_blend(scored.inner, target[~here], method=method, images=images)
            blended = blended_out_of_fold(scored.inner, target[~here], fold[~here], method=method, images=images)
            risks = Calibration.fit(blended, target[~here], method=calibration, prevalence=prevalence)
            new = score_new_lesions(scored.new, fitted, risks)
            result[f"blend_{method}"][here] = new.blend
            if method == blend:
                result["risk"][here] = new.risk
        for name in learners:
            result[name][here] = new.learners[name]
    return result
