"""Repetitions of a run: the same recipe with other patient folds and seeds, so that a comparison can include them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.errors import InputError
from ensemble.fusion import blended_out_of_fold
from ensemble.out_of_fold import Plan, Scores
from uglyduck.run.run import Run
from uglyduck.stages.folds import draw_folds


@dataclass(frozen=True)
class Repetition:
    """One repetition.

    Attributes:
        plan: What is trained.
        fold: Fold of each lesion, used to fit blends that learn; shape (lesions,).
    """

    plan: Plan
    fold: npt.NDArray[np.int8]


def blend_as_the_run(run: Run, scores: Mapping[str, Scores], fold: npt.NDArray[np.int8]) -> Scores:
    """Blend out-of-fold scores; weights that are learned come from folds other than the one blended.

    Args:
        run: The run, which says how to blend.
        scores: By learner, each of shape (lesions,).
        fold: Fold of each lesion; shape (lesions,).
    """
    return blended_out_of_fold(
        dict(scores), run.target, fold, method=run.config.ensemble.blend, images=run.image_learners
    )


def repetitions(run: Run, plan: Plan, repeats: int) -> list[Repetition]:
    """A plan of a run, on its own folds and seeds first, then on others.

    Image scores are taken as they are: networks are not trained again.

    Args:
        run: The run.
        plan: Its plan, or one with other learners or sampling.
        repeats: How many in all, at least 1.

    Raises:
        InputError: The run's folds cannot be drawn in another way.
    """
    if repeats > 1 and run.config.folds.scheme == "leave-one-hospital-out":
        raise InputError(
            "the run's folds are hospitals, which cannot be drawn anew",
            where="--repeats",
            remedy='leave it out, or compare runs with [folds] scheme = "stratified"',
        )
    found = [Repetition(plan, run.fold)]
    for number in range(1, repeats):
        assignments = [each.to_numpy() for each in draw_folds(run, number).assignments()]
        found.append(Repetition(plan.repetition(number, assignments), assignments[0]))
    return found
