import json
import math
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray

from cv_folds.bootstrap.intervals import (
    BootstrapSample,
    Difference,
    Interval,
    bca_ends,
    percentile_ends,
)

ONES = np.ones(50, dtype=np.int64)


def a_sample(
    estimate: float, values: NDArray[np.float64], left_out: NDArray[np.float64] | None = None
) -> BootstrapSample:
    return BootstrapSample(estimate, values, np.zeros(50) if left_out is None else left_out, ONES, redrawn=0)


def test_percentile_ends_cut_the_tails() -> None:
    # 0, 1, …, 1000: 2.5 % below 25, 2.5 % above 975.
    assert percentile_ends(np.arange(1001.0), 0.95) == pytest.approx((25, 975))
    assert percentile_ends(np.arange(1001.0), 0.90) == pytest.approx((50, 950))


def test_bca_without_bias_or_skewness_is_the_percentile_interval() -> None:
    # 500 of 1001 lie below the estimate, 500 above, one on it: no bias. Equal leave-one-out values: no acceleration.
    assert bca_ends(a_sample(500, np.arange(1001.0)), 0.95) == pytest.approx((25, 975))


def test_bca_by_the_book() -> None:
    generator = np.random.default_rng(0)
    values, left_out = generator.gamma(4, size=2000), generator.gamma(2, size=50)
    estimate = 3.5
    normal = NormalDist()
    bias = normal.inv_cdf(sum(value < estimate for value in values) / 2000)
    mean = sum(left_out) / 50
    acceleration = sum((mean - value) ** 3 for value in left_out) / (
        6 * sum((mean - value) ** 2 for value in left_out) ** 1.5
    )
    expected = []
    for tail in (0.025, 0.975):
        shifted = bias + normal.inv_cdf(tail)
        expected.append(np.quantile(values, normal.cdf(bias + shifted / (1 - acceleration * shifted))))
    assert bca_ends(a_sample(estimate, values, left_out), 0.95) == pytest.approx(expected, rel=1e-9)


def test_members_of_a_unit_count_each_in_the_acceleration() -> None:
    values = np.random.default_rng(1).gamma(4, size=500)
    grouped = BootstrapSample(3.5, values, np.array([1.0, 2.0, 5.0]), np.array([3, 2, 1]), 0)
    single = BootstrapSample(3.5, values, np.array([1.0, 1.0, 1.0, 2.0, 2.0, 5.0]), np.ones(6, dtype=np.int64), 0)
    assert bca_ends(grouped, 0.95) == pytest.approx(bca_ends(single, 0.95))


def test_ties_with_the_estimate_count_half_despite_rounding() -> None:
    values = np.repeat([0.5, 0.6, 0.7], 100) + 1e-17
    assert bca_ends(a_sample(0.1 + 0.5, values), 0.95) == pytest.approx((0.5, 0.7))


@pytest.mark.parametrize(
    "sample",
    [
        a_sample(5, np.arange(5.0)),  # every replicate below the estimate
        a_sample(2, np.arange(5.0), np.append(np.zeros(49), np.nan)),  # a patient who cannot be left out
    ],
)
def test_where_bca_is_undefined_the_percentile_interval_is_given(sample: BootstrapSample) -> None:
    assert bca_ends(sample, 0.95) is None
    made = Interval.of(sample, method="bca")
    assert made.method == "percentile"
    assert (made.low, made.high) == percentile_ends(sample.values, 0.95)


def test_replicates_that_never_change() -> None:
    made = Interval.of(a_sample(0.2, np.full(200, 0.2)))
    assert (made.low, made.high, made.standard_error) == (0.2, 0.2, pytest.approx(0, abs=1e-15))


def test_an_interval_says_how_it_was_made() -> None:
    values = np.random.default_rng(0).normal(size=400)
    made = Interval.of(BootstrapSample(0.0, values, np.zeros(50), ONES, 3), level=0.9)
    assert made.standard_error == pytest.approx(np.std(values, ddof=1))
    assert (made.level, made.method, made.replicates, made.redrawn) == (0.9, "bca", 400, 3)
    assert set(made.as_dict()) == {
        *("estimate", "low", "high", "standard_error", "level", "method", "replicates", "redrawn")
    }


def test_without_replicates_there_are_no_ends() -> None:
    made = Interval.of(BootstrapSample(0.15, np.empty(0), np.zeros(50), ONES, 900))
    assert made.estimate == 0.15
    assert math.isnan(made.low)
    written = json.loads(json.dumps(made.as_dict(), allow_nan=False))
    assert (written["low"], written["high"], written["replicates"], written["redrawn"]) == (None, None, 0, 900)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-1, 1, False), (0, 1, False), (-1, 0, False), (0.1, 1, True), (-1, -0.1, True), (math.nan, math.nan, False)],
)
def test_a_difference_is_distinguishable_if_zero_is_outside(low: float, high: float, expected: bool) -> None:
    assert Difference(0.5, low, high, 0.1, 0.95).distinguishable is expected
    assert Difference(0.5, low, high, 0.1, 0.95).as_dict()["distinguishable"] is expected


def test_differences_are_taken_replicate_by_replicate() -> None:
    first = a_sample(3, np.array([1.0, 5.0, 3.0]), np.full(50, 2.0))
    second = a_sample(1, np.array([0.5, 4.0, 2.5]), np.full(50, 1.5))
    pair = first.minus(second)
    assert pair.estimate == 2
    assert pair.values.tolist() == [0.5, 1.0, 0.5]
    assert (pair.left_out == 0.5).all()
    made = Difference.of(pair)
    assert isinstance(made, Interval)
    assert made.method == "percentile"
    assert made.distinguishable


@pytest.mark.parametrize(("patients", "known"), [(1, False), (2, True)])
def test_one_patient_has_no_interval(patients: int, known: bool) -> None:
    sample = BootstrapSample(0.5, np.full(200, 0.5), np.full(1, 0.5), np.array([patients]), 0)
    for found in (Interval.of(sample), Difference.of(sample)):
        assert math.isnan(found.low) is not known
        assert math.isnan(found.high) is not known
