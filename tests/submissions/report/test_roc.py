"""The curve's corners counted by hand, and its area against the metric."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cv_folds.metrics import partial_auc
from cv_folds.metrics.counts import rank_counts
from submissions.report.roc import curve, thinned, threshold_for


def test_corners_by_hand() -> None:
    # From the top: 0.4 malignant, 0.3 benign, 0.2 malignant, 0.1 benign. Two of each.
    corners = curve(rank_counts([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4]))
    assert corners.tolist() == [[0, 0], [0, 0], [0, 0.5], [0.5, 0.5], [0.5, 1], [1, 1]]


def test_a_tie_is_a_slope() -> None:
    # 0.5 holds one malignant and one of two benign lesions: from (0, 0) straight to (1/2, 1).
    assert curve(rank_counts([1, 0, 0], [0.5, 0.5, 0.1])).tolist() == [[0, 0], [0, 0], [0.5, 1], [1, 1]]


@pytest.mark.parametrize("seed", range(5))
def test_the_area_of_the_region_is_the_metric(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    target = (rng.random(400) < 0.2).astype(np.int8)
    score = np.round(rng.random(400) + target * 0.5, 2)  # with ties
    corners = curve(rank_counts(target, score)).tolist()
    area = sum(_right_of(*one, *other) for one, other in pairwise(corners))
    assert area == pytest.approx(partial_auc(target, score))


def _right_of(x0: float, y0: float, x1: float, y1: float) -> float:
    """Area between a straight piece of the curve and x = 1, above y = 0.8."""
    if y1 <= max(y0, 0.8):
        return 0.0
    if y0 < 0.8:
        x0, y0 = x0 + (x1 - x0) * (0.8 - y0) / (y1 - y0), 0.8
    return (1 - (x0 + x1) / 2) * (y1 - y0)


def test_thinning_keeps_both_ends() -> None:
    corners = np.stack([np.linspace(0, 1, 5_000)] * 2, axis=1)
    kept = thinned(corners, 100)
    assert len(kept) == 100
    assert kept[0].tolist() == [0, 0]
    assert kept[-1].tolist() == [1, 1]
    assert len(thinned(corners[:50], 100)) == 50


@pytest.mark.parametrize(("sensitivity", "threshold"), [(0.8, 0.2), (0.81, 0.1), (0.2, 0.5), (1.0, 0.1)])
def test_threshold(sensitivity: float, threshold: float) -> None:
    # Five malignant lesions at 0.1 ... 0.5: four of them (80 %) score at least 0.2.
    target, score = [1, 1, 1, 1, 1, 0], [0.1, 0.2, 0.3, 0.4, 0.5, 0.9]
    assert threshold_for(target, score, sensitivity) == threshold
