"""Metrics at one working point: what a threshold that reaches a given sensitivity costs, or the reverse.

A threshold flags every lesion that scores at least as much as it, so a tie is flagged as a whole and only
thresholds that exist are considered: nothing is interpolated between two points of the ROC curve.
"""

from __future__ import annotations

import numpy as np

from cv_folds.metrics.counts import RankCounts
from cv_folds.metrics.inputs import Floats, Ints

#: Shares of weight that differ by less are equal: sums of fractional weights carry rounding of about 1e-16 a row.
TOLERANCE = 1e-12


def nnt_at_sensitivity(counts: RankCounts, *, sensitivity: float) -> Floats:
    r"""Number needed to triage: lesions flagged for each malignancy found, at the highest threshold that suffices.

    With $T(t)$ and $F(t)$ the malignant and benign weight that scores at least t, $M$ the malignant weight, and
    $t^* = \max\{t : T(t) / M \ge s\}$:

    $$ \mathrm{NNT}_s = \frac{T(t^*) + F(t^*)}{T(t^*)} $$

    Range: 1 (nothing benign is flagged) upwards; lower is better. It depends on the prevalence.

    It cannot tell what happens at any other sensitivity, and the lesions flagged may all belong to few patients.

    Source: lesions triaged per malignancy, Kurtansky et al., npj Digital Medicine, 2025 (doi
    10.1038/s41746-025-02070-7).

    Args:
        counts: Weights, shape (G,) or (G, R).
        sensitivity: At least this share of malignant weight is to be found; in (0, 1].

    Returns:
        Shape () or (R,).
    """
    at = _highest_enough(counts, sensitivity)
    found, false_alarms = _pick(counts.found, at), _pick(counts.false_alarms, at)
    return np.asarray((found + false_alarms) / found)


def specificity_at_sensitivity(counts: RankCounts, *, sensitivity: float) -> Floats:
    r"""Share of benign lesions left alone, at the highest threshold that finds the given share of malignant ones.

    $1 - F(t^*) / N$ with $t^* = \max\{t : T(t) / M \ge s\}$; symbols as in `nnt_at_sensitivity`, $N$ the benign weight.

    Range: 0 to 1. It does not depend on the prevalence.

    It cannot tell what happens at any other sensitivity; with few malignant lesions it jumps from one to the next.

    Source: Pepe, The Statistical Evaluation of Medical Tests, 2003, chapter 4 (the inverse of the ROC curve).

    Arguments and shapes as `nnt_at_sensitivity`.
    """
    return np.asarray(_pick(counts.below, _highest_enough(counts, sensitivity)) / counts.benign)


def sensitivity_at_specificity(counts: RankCounts, *, specificity: float) -> Floats:
    r"""Greatest share of malignant lesions found by a threshold that leaves the given share of benign ones alone.

    $\max\{T(t) / M : 1 - F(t) / N \ge c\}$; symbols as in `specificity_at_sensitivity`. A threshold above every
    score is allowed and finds nothing.

    Range: 0 to 1. It does not depend on the prevalence.

    It cannot tell what happens at any other specificity, nor how many lesions that is: 1 % of 400,000 is 4,000.

    Source: Pepe, The Statistical Evaluation of Medical Tests, 2003, chapter 4 (the ROC curve at 1 - c).

    Args:
        counts: Weights, shape (G,) or (G, R).
        specificity: At least this share of benign weight is to be left alone; in [0, 1].

    Returns:
        Shape () or (R,).
    """
    allowed = counts.below / counts.benign >= specificity - TOLERANCE
    return np.asarray(np.where(allowed, counts.found, 0).max(axis=0) / counts.total)


def _highest_enough(counts: RankCounts, sensitivity: float) -> Ints:
    """Index of the highest malignant score whose threshold reaches the sensitivity; shape () or (R,)."""
    enough = counts.found / counts.total >= sensitivity - TOLERANCE
    return np.asarray(np.maximum(enough.sum(axis=0) - 1, 0), dtype=np.int64)


def _pick(values: Floats, at: Ints) -> Floats:
    return np.asarray(np.take_along_axis(values, at[np.newaxis, ...], axis=0)[0])
