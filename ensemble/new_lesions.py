"""Scores and risks of new lesions, on the scale of the out-of-fold scores that blend and calibration were fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from ensemble.blend import log_odds
from ensemble.calibration import Calibration
from ensemble.fusion import AnyBlend

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NewScores:
    """An ensemble's scores of new lesions; each array has shape (lesions,).

    Attributes:
        learners: Score by learner, in [0, 1].
        blend: Blended score, in [0, 1].
        risk: Calibrated probability of malignancy, in (0, 1).
    """

    learners: dict[str, Scores]
    blend: Scores
    risk: Scores


def score_new_lesions(by_fold: Mapping[str, Sequence[Scores]], blend: AnyBlend, calibration: Calibration) -> NewScores:
    """Combine the scores that the models of each fold give new lesions.

    Blend and calibration were fitted on out-of-fold scores, each of which comes from the models of one fold. A mean
    over folds is another quantity, and whether it keeps their scale depends on what is averaged:

    * A learner's score is the mean of log-odds over folds, since models err as often upwards as downwards there. (The
      mean of the scores themselves is too high for the many lesions whose risk is low: their errors are skewed.)
    * The risk is the mean over folds of the risk given by each fold's models, blended and calibrated on their own. They
      score a new lesion as they scored the lesions held out from them, so each of these risks is right on average.

    Args:
        by_fold: By learner, a list over folds of scores in [0, 1], each of shape (lesions,): for each fold the mean
            over seeds and repeats of the models that did not train on it.
        blend: Fitted on out-of-fold scores.
        calibration: Fitted on their blend.

    Returns:
        Scores that depend only on the lesion: bit-identical alone and in any batch.
    """
    learners = {name: expit(_mean([log_odds(score) for score in scores])) for name, scores in by_fold.items()}
    folds = [dict(zip(by_fold, scores, strict=True)) for scores in zip(*by_fold.values(), strict=True)]
    risk = _mean([calibration(blend(scores)) for scores in folds])
    return NewScores(learners, blend(learners), risk)


def _mean(arrays: Sequence[Scores]) -> Scores:
    """The mean over arrays, added one by one: the same bits for one lesion as for many."""
    total = np.zeros_like(arrays[0])
    for values in arrays:
        total += values
    return total / len(arrays)
