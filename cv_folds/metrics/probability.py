"""Is a score of 0.03 really 3 in 100? Metrics of probabilities."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from cv_folds.metrics.inputs import Floats, Ints, MetricInput, checked_lesions, refuse_rows
from engine.errors import InputError


def brier_score(target: ArrayLike, probability: ArrayLike, *, weight: ArrayLike | None = None) -> float:
    r"""Mean squared distance between probability and outcome.

    $$ \mathrm{Brier} = \frac{\sum_i w_i (q_i - y_i)^2}{\sum_i w_i} $$

    with $y_i$ the target, $q_i$ the probability and $w_i$ the weight of lesion i.

    Range: 0 to 1, lower is better; the prevalence r as everybody's probability gives r (1 - r).

    It cannot tell calibration from discrimination, and with rare malignancy every sensible forecast is close to
    r (1 - r), 0.00098 in SLICE-3D: compare with that value, not with 0.

    Source: Brier, Monthly Weather Review 78:1, 1950.

    Args:
        target: 1 malignant, 0 benign; shape (lesions,). One class alone is allowed.
        probability: Of malignancy, in [0, 1]; shape (lesions,).
        weight: At least 0; shape (lesions,). None counts each lesion once.

    Raises:
        InputError: Bad arrays (see `checked_lesions`), a probability outside [0, 1], or weights that are all 0.
    """
    lesions = _checked_probabilities(target, probability, weight)
    return float(np.average((lesions.score - lesions.malignant) ** 2, weights=lesions.weight))


def calibration_error(
    target: ArrayLike, probability: ArrayLike, *, bins: int = 15, weight: ArrayLike | None = None
) -> float:
    r"""Expected calibration error over bins of equal weight.

    $$ \mathrm{ECE} = \sum_b \frac{W_b}{W} \left| \bar q_b - \bar y_b \right| $$

    with $W_b$ the weight in bin b, $W$ the whole weight, and $\bar q_b$, $\bar y_b$ the mean probability and the share
    malignant there. Bins hold equal weight, not equal widths of probability: with 1 malignant lesion in 1,000 nearly
    all would fall into the first of those. Equal probabilities stay in one bin, so the order of rows is irrelevant.

    Range: 0 to 1, lower is better; the prevalence as everybody's probability gives 0.

    It cannot tell whether the score ranks anything. Chance alone makes it positive, the more so the more bins and
    the fewer malignant lesions: compare only at equal numbers of both.

    Source: Naeini, Cooper and Hauskrecht, AAAI 2015; equal-mass bins as Nixon et al., CVPR workshops 2019.

    Args:
        target: 1 malignant, 0 benign; shape (lesions,). One class alone is allowed.
        probability: Of malignancy, in [0, 1]; shape (lesions,).
        bins: At most this many bins; at least 1.
        weight: At least 0; shape (lesions,). None counts each lesion once.

    Raises:
        InputError: Bad arrays (see `checked_lesions`), a probability outside [0, 1], weights that are all 0, or
            fewer than 1 bin.
    """
    table = calibration_bins(target, probability, bins=bins, weight=weight)
    gap = (table["mean_probability"] - table["share_malignant"]).abs().to_numpy()
    return float(np.average(gap, weights=table["weight"].to_numpy()))


def calibration_bins(
    target: ArrayLike, probability: ArrayLike, *, bins: int = 15, weight: ArrayLike | None = None
) -> pl.DataFrame:
    """Mean probability and share malignant in bins of equal weight: the points of a reliability picture.

    A lesion's bin follows from the middle of the weight range that its probability occupies, so ties stay together;
    bins that stay empty because of a large tie are left out.

    Args:
        target: 1 malignant, 0 benign; shape (lesions,). One class alone is allowed.
        probability: Of malignancy, in [0, 1]; shape (lesions,).
        bins: At most this many bins; at least 1.
        weight: At least 0; shape (lesions,). None counts each lesion once.

    Returns:
        Columns bin (from 0), weight, mean_probability, share_malignant; ascending.

    Raises:
        InputError: As `calibration_error`.
    """
    if bins < 1:
        raise InputError(f"{bins} bins", where="bins", remedy="choose at least 1")
    lesions = _checked_probabilities(target, probability, weight)
    index = equal_mass_bins(lesions.score, lesions.weight, bins)
    whole = np.bincount(index, lesions.weight)
    used = np.flatnonzero(whole)
    return pl.DataFrame(
        {
            "bin": used,
            "weight": whole[used],
            "mean_probability": np.bincount(index, lesions.weight * lesions.score)[used] / whole[used],
            "share_malignant": np.bincount(index, lesions.weight * lesions.malignant)[used] / whole[used],
        }
    )


def equal_mass_bins(probability: Floats, weight: Floats, bins: int) -> Ints:
    """The bin of each lesion, from 0, as `calibration_bins` describes; shape (lesions,)."""
    distinct, tie = np.unique(probability, return_inverse=True)
    mass = np.bincount(tie, weight, minlength=distinct.size)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    return np.asarray(np.minimum((middle * bins).astype(np.int64), bins - 1)[tie], dtype=np.int64)


def _checked_probabilities(target: ArrayLike, probability: ArrayLike, weight: ArrayLike | None) -> MetricInput:
    lesions = checked_lesions(target, probability, weight, both_classes=False)
    outside = (lesions.score < 0) | (lesions.score > 1)
    refuse_rows(outside, lesions.score, "probability", "is no probability", "calibrate the score into [0, 1] first")
    if not lesions.weight.any():
        raise InputError("every weight is 0", where="weight", remedy="give some lesions a weight above 0")
    return lesions
