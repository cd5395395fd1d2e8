import math

import numpy as np
import pytest
from numpy.typing import NDArray

from cv_folds.metrics import nnt_at, sensitivity_at, specificity_at
from engine.errors import InputError

# Falling scores:   9 M, 8 B, 7 M, 6 B, 5 B, 4 M (tied with a B), 3 B, 2 M, 1 B: 4 malignant, 6 benign.
TARGET = [1, 0, 1, 0, 0, 1, 0, 0, 1, 0]
SCORE = [9, 8, 7, 6, 5, 4, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("sensitivity", "flagged", "found", "left_alone"),
    [
        (0.25, 1, 1, 6),  # threshold 9
        (0.50, 3, 2, 5),  # threshold 7
        (0.51, 7, 3, 2),  # threshold 4, the tied benign lesion comes along
        (0.75, 7, 3, 2),
        (0.80, 9, 4, 1),  # threshold 2
        (1.00, 9, 4, 1),
    ],
)
def test_cost_of_a_sensitivity(sensitivity: float, flagged: int, found: int, left_alone: int) -> None:
    assert nnt_at(sensitivity)(TARGET, SCORE) == flagged / found
    assert specificity_at(sensitivity)(TARGET, SCORE) == pytest.approx(left_alone / 6)


@pytest.mark.parametrize(
    ("specificity", "found"),
    [(1.0, 1), (5 / 6, 2), (0.5, 2), (2 / 6, 3), (1 / 6, 4), (0.0, 4)],  # benign left alone above 9, 7, 4, 2
)
def test_gain_of_a_specificity(specificity: float, found: int) -> None:
    assert sensitivity_at(specificity)(TARGET, SCORE) == found / 4


def test_a_benign_lesion_on_top_leaves_nothing_at_full_specificity() -> None:
    assert sensitivity_at(1.0)([0, 1], [2, 1]) == 0


def test_exact_shares_are_reached_despite_rounding() -> None:
    # k of n lesions of weight 0.1 are the share k / n, though ten times 0.1 adds up to 0.9999999999999999.
    for n in range(2, 25):
        for k in range(1, n + 1):
            score = [3] * k + [2] + [1] * (n - k)
            weight = [0.1] * (n + 1)
            assert specificity_at(k / n)([1] * k + [0] + [1] * (n - k), score, weight=weight) == 1
            # The other way round: n benign lesions, k of them below the malignant one.
            turned = [-value for value in score]
            target = [0] * k + [1] + [0] * (n - k)
            assert sensitivity_at(k / n)(target, turned, weight=weight) == 1


def by_every_threshold(
    target: NDArray[np.int64], score: NDArray[np.float64], weight: NDArray[np.float64], wanted: float
) -> tuple[float, float, float]:
    """NNT and specificity at a sensitivity, and sensitivity at a specificity, by trying every threshold in turn."""
    malignant, benign = weight[target == 1].sum(), weight[target == 0].sum()
    best: tuple[float, float] | None = None
    sensitivity = 0.0
    for threshold in sorted(set(score.tolist()), reverse=True):
        flagged = score >= threshold
        found, alarms = weight[flagged & (target == 1)].sum(), weight[flagged & (target == 0)].sum()
        if best is None and found / malignant >= wanted - 1e-12:
            best = ((found + alarms) / found, 1 - alarms / benign)
        if 1 - alarms / benign >= wanted - 1e-12:
            sensitivity = max(sensitivity, found / malignant)
    assert best is not None
    return *best, sensitivity


@pytest.mark.parametrize("seed", range(60))
def test_equal_a_search_over_every_threshold(seed: int) -> None:
    generator = np.random.default_rng(seed)
    target = (generator.random(80) < 0.25).astype(np.int64)
    target[:2] = 0, 1
    score = np.round(generator.normal(size=80) * 4 + 2 * target)
    weight = generator.integers(0, 4, size=80).astype(float)
    weight[:2] = 1
    wanted = float(generator.choice([0.1, 0.5, 0.8, 0.9, 1.0]))
    nnt, specificity, sensitivity = by_every_threshold(target, score, weight, wanted)
    assert nnt_at(wanted)(target, score, weight=weight) == pytest.approx(nnt, abs=1e-12)
    assert specificity_at(wanted)(target, score, weight=weight) == pytest.approx(specificity, abs=1e-12)
    assert sensitivity_at(wanted)(target, score, weight=weight) == pytest.approx(sensitivity, abs=1e-12)


@pytest.mark.parametrize("bad", [0.0, -0.1, 1.1, math.nan])
def test_refuse_a_sensitivity_that_is_none(bad: float) -> None:
    for metric_at in (nnt_at, specificity_at):
        with pytest.raises(InputError, match="sensitivity"):
            metric_at(bad)


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_refuse_a_specificity_that_is_none(bad: float) -> None:
    with pytest.raises(InputError, match="specificity"):
        sensitivity_at(bad)
