"""Brier, calibration error and reliability with intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike
from sklearn.metrics import brier_score_loss

from cv_folds.bootstrap import Reliability, reliabilities
from cv_folds.bootstrap.reliability import equal_mass_bins
from engine.errors import InputError

RNG = np.random.default_rng(0)
PATIENT = np.repeat(np.arange(150), RNG.integers(1, 30, 150))
RISK = RNG.beta(0.5, 6, PATIENT.size)
TARGET = (RNG.random(PATIENT.size) < RISK).astype(np.int8)


def reliability(target: ArrayLike, probability: ArrayLike, **how: Any) -> Reliability:  # noqa: ANN401
    return reliabilities(target, {"": probability}, **{"replicates": 100, **how})[""]


def test_estimates_by_hand() -> None:
    # (0.2 - 0)² + (0.7 - 1)² + (0.5 - 0)² = 0.04 + 0.09 + 0.25, over 3; 1.4 expected of 1.
    found = reliability([0, 1, 0], [0.2, 0.7, 0.5])
    assert found.brier.estimate == pytest.approx(0.38 / 3)
    assert found.expected_over_observed.estimate == pytest.approx(1.4)
    # Two bins of three: means 0.2 and 0.7, shares 1/3 and 2/3: (|0.2 - 1/3| + |0.7 - 2/3|) / 2.
    found = reliability([0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.6, 0.7, 0.8], bins=2)
    assert found.calibration_error.estimate == pytest.approx((abs(0.2 - 1 / 3) + abs(0.7 - 2 / 3)) / 2)
    assert [(lesions, mean) for lesions, mean, _ in found.bins] == [(3, pytest.approx(0.2)), (3, pytest.approx(0.7))]
    assert [share.estimate for *_, share in found.bins] == pytest.approx([1 / 3, 2 / 3])


def test_the_prevalence_as_forecast() -> None:
    # r (1 - r) with r = 1/4.
    found = reliability([1, 0, 0, 0], [0.25] * 4)
    assert found.brier.estimate == pytest.approx(0.1875)
    assert found.calibration_error.estimate == pytest.approx(0)


def test_brier_equals_scikit_learn() -> None:
    assert reliability(TARGET, RISK).brier.estimate == pytest.approx(brier_score_loss(TARGET, RISK), abs=1e-12)


def test_ties_stay_in_one_bin_and_empty_bins_are_left_out() -> None:
    # Eight of ten tie at 0.1 (middle 0.4 of the lesions), the rest lie at 0.85 and 0.95 of them: bins 2 and 4 of 5.
    risk = np.array([0.1] * 8 + [0.5, 0.9])
    assert equal_mass_bins(risk, 5).tolist() == [2] * 8 + [4, 4]
    assert [(lesions, share.estimate) for lesions, _, share in reliability([0] * 8 + [1, 0], risk, bins=5).bins] == [
        (8, 0.0),
        (2, 0.5),
    ]


def test_skill_by_hand() -> None:
    # target 1 0 0 0, risk 0.5 0 0 0: Brier 0.25 / 4 = 0.0625; r (1 - r) = 0.1875; skill 2/3
    found = reliability([1, 0, 0, 0], [0.5, 0, 0, 0], bins=2, replicates=100)
    assert found.brier_skill.estimate == pytest.approx(2 / 3)


def test_replicates_are_the_metric_of_the_drawn_patients() -> None:
    found = reliability(TARGET, RISK, patient=PATIENT, replicates=3_000)
    rng, values = np.random.default_rng(1), []
    rows = [np.flatnonzero(one == PATIENT) for one in range(150)]
    for _ in range(600):
        drawn = np.concatenate([rows[one] for one in rng.integers(0, 150, 150)])
        values.append(((TARGET[drawn] - RISK[drawn]) ** 2).mean())
    assert found.brier.standard_error == pytest.approx(np.std(values), rel=0.1)
    assert [found.brier.low, found.brier.high] == pytest.approx(np.quantile(values, [0.025, 0.975]), rel=0.04)


def test_wrong_probabilities_show() -> None:
    right, double = (reliability(TARGET, risk, patient=PATIENT, replicates=500) for risk in (RISK, RISK**0.5))
    assert right.expected_over_observed.low < 1 < right.expected_over_observed.high
    assert double.expected_over_observed.low > 1.5
    assert double.calibration_error.low > right.calibration_error.high


def test_the_order_of_rows_changes_nothing() -> None:
    turn = RNG.permutation(TARGET.size)
    one = reliability(TARGET, RISK, patient=PATIENT, replicates=200)
    other = reliability(TARGET[turn], RISK[turn], patient=PATIENT[turn], replicates=200)
    assert one.brier.low == pytest.approx(other.brier.low, rel=1e-12)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(InputError, match="outside 0 to 1"):
        reliability([0, 1], [0.1, 1.2])
