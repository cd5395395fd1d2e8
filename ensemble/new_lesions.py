"""Scores and risks of new lesions, on the scale of the out-of-fold scores that maps and calibration were fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ensemble.blend import Blend
from ensemble.calibration import Calibration
from ensemble.quantile_map import Scores


@dataclass(frozen=True)
class NewScores:
    """What an ensemble says of new lesions; each array has shape (lesions,).

    Attributes:
        learners: By learner the mean of its models' scores, in [0, 1].
        blend: Blended score, in [0, 1].
        risk: Calibrated probability of malignancy, in (0, 1).
    """

    learners: dict[str, Scores]
    blend: Scores
    risk: Scores


def score_new_lesions(by_fold: Mapping[str, Sequence[Scores]], blend: Blend, calibration: Calibration) -> NewScores:
    """Blend and calibrate new lesions fold by fold, then average over folds.

    An out-of-fold score comes from the models of one fold, and that is what quantile maps and calibration know. The
    mean over folds is another quantity: it scatters less, so mapped as if it were one fold's, its levels are off on
    average and so are its risks. The models of each fold, taken alone, score a new lesion exactly as they scored the
    lesions held out from them, so their levels and risks are right on average, and so is the mean of these over folds.

    Args:
        by_fold: By learner a list over folds of scores in [0, 1], each of shape (lesions,): for each fold the mean
            over seeds and repeats of the models that did not train on it.
        blend: Fitted on out-of-fold scores.
        calibration: Fitted on their blend.

    Returns:
        Scores that depend on nothing but the lesion: the same bits alone and in any batch.
    """
    folds = [dict(zip(by_fold, scores, strict=True)) for scores in zip(*by_fold.values(), strict=True)]
    blended = [blend(scores) for scores in folds]
    return NewScores(
        {name: _mean(scores) for name, scores in by_fold.items()},
        _mean(blended),
        _mean([calibration(scores) for scores in blended]),
    )


def _mean(arrays: Sequence[Scores]) -> Scores:
    """The mean over arrays, added one after the other: the same bits for one lesion and for many."""
    total = np.zeros_like(arrays[0])
    for values in arrays:
        total += values
    return total / len(arrays)
