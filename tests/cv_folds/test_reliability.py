"""Brier, calibration error and reliability with intervals."""

from __future__ import annotations

import numpy as np
import pytest

from cv_folds.bootstrap import reliability
from cv_folds.metrics import brier_score, calibration_bins, calibration_error
from engine.errors import InputError

RNG = np.random.default_rng(0)
PATIENT = np.repeat(np.arange(150), RNG.integers(1, 30, 150))
RISK = RNG.beta(0.5, 6, PATIENT.size)
TARGET = (RNG.random(PATIENT.size) < RISK).astype(np.int8)


def test_estimates_are_the_metrics() -> None:
    found = reliability(TARGET, RISK, patient=PATIENT, bins=8, replicates=200)
    assert found.brier.estimate == pytest.approx(brier_score(TARGET, RISK), abs=1e-12)
    assert found.calibration_error.estimate == pytest.approx(calibration_error(TARGET, RISK, bins=8), abs=1e-12)
    assert found.expected_over_observed.estimate == pytest.approx(RISK.sum() / TARGET.sum())
    shares = calibration_bins(TARGET, RISK, bins=8)["share_malignant"]
    np.testing.assert_allclose([observed.estimate for _, _, observed in found.bins], shares, atol=1e-12)


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
        values.append(brier_score(TARGET[drawn], RISK[drawn]))
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
