"""Several image scores as one: each put on the normal scale using its own out-of-fold scores, then averaged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Doubles = NDArray[np.float64]


def normal_score(reference: Doubles, score: Doubles) -> Doubles:
    """Where each score would rank among the reference scores, as a standard normal deviate.

    A lesion's value depends only on its own score and the reference, not on which others are scored. Between two
    reference scores it is interpolated; beyond the ends it stays at the end.

    Args:
        reference: Out-of-fold scores; NaN is ignored.
        score: Scores to convert; NaN stays NaN.
    """
    known = np.sort(reference[np.isfinite(reference)])
    values, first = np.unique(known, return_index=True)
    after = np.append(first[1:], len(known))
    deviate = stats.norm.ppf((first + after) / 2 / len(known))
    return np.where(np.isfinite(score), np.interp(score, values, deviate), np.nan)


def combined(references: Sequence[Doubles], scores: Sequence[Doubles]) -> Doubles:
    """Mean normal score with equal weights, so that nothing is fitted on labels; a score between 0 and 1.

    Args:
        references: Out-of-fold scores of each model.
        scores: Each model's scores of the same lesions; if one is NaN, the mean is over the others.
    """
    deviates = np.stack([normal_score(*pair) for pair in zip(references, scores, strict=True)])
    known = np.isfinite(deviates)
    # One after another: numpy's own sum adds in another order if there is one lesion.
    total = np.zeros(deviates.shape[1])
    for row in np.where(known, deviates, 0):
        total = total + row
    mean = np.divide(total, known.sum(0), out=np.full(total.shape, np.nan), where=known.any(0))
    return np.asarray(stats.norm.cdf(mean))
