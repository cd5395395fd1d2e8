import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from cv_folds.metrics import brier_score, calibration_bins, calibration_error
from engine.errors import InputError


def test_brier_by_hand() -> None:
    # (0.2 - 0)² + (0.7 - 1)² + (0.5 - 0)² = 0.04 + 0.09 + 0.25, over 3.
    assert brier_score([0, 1, 0], [0.2, 0.7, 0.5]) == pytest.approx(0.38 / 3)
    assert brier_score([0, 1, 0], [0.2, 0.7, 0.5], weight=[1, 2, 0]) == pytest.approx((0.04 + 2 * 0.09) / 3)


def test_the_prevalence_as_forecast() -> None:
    # r (1 - r) with r = 1/4.
    assert brier_score([1, 0, 0, 0], [0.25] * 4) == pytest.approx(0.1875)
    assert calibration_error([1, 0, 0, 0], [0.25] * 4) == pytest.approx(0)


@pytest.mark.parametrize("seed", range(10))
def test_brier_equals_scikit_learn(seed: int) -> None:
    generator = np.random.default_rng(seed)
    target, probability, weight = generator.integers(0, 2, 50), generator.random(50), generator.random(50)
    expected = brier_score_loss(target, probability, sample_weight=weight)
    assert brier_score(target, probability, weight=weight) == pytest.approx(expected, abs=1e-12)


def test_calibration_by_hand() -> None:
    # Two bins of three: means 0.2 and 0.7, shares 1/3 and 2/3: (|0.2 - 1/3| + |0.7 - 2/3|) / 2.
    target, probability = [0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.6, 0.7, 0.8]
    assert calibration_bins(target, probability, bins=2).rows() == [
        (0, 3.0, pytest.approx(0.2), pytest.approx(1 / 3)),
        (1, 3.0, pytest.approx(0.7), pytest.approx(2 / 3)),
    ]
    assert calibration_error(target, probability, bins=2) == pytest.approx((abs(0.2 - 1 / 3) + abs(0.7 - 2 / 3)) / 2)


def test_ties_stay_in_one_bin_and_empty_bins_are_left_out() -> None:
    # Eight of ten tie at 0.1 (middle of weight 0.4), the rest lie at 0.85 and 0.95 of the weight: bins 2 and 4 of 5.
    table = calibration_bins([0] * 8 + [1, 0], [0.1] * 8 + [0.5, 0.9], bins=5)
    assert table["bin"].to_list() == [2, 4]
    assert table["weight"].to_list() == [8.0, 2.0]
    assert table["share_malignant"].to_list() == [0.0, 0.5]


def test_the_order_of_rows_does_not_matter() -> None:
    generator = np.random.default_rng(0)
    probability = np.round(generator.random(500), 1)
    target = (generator.random(500) < probability).astype(int)
    value = calibration_error(target, probability)
    order = generator.permutation(500)
    assert calibration_error(target[order], probability[order]) == pytest.approx(value, abs=1e-15)


def test_weights_are_as_good_as_copies() -> None:
    generator = np.random.default_rng(1)
    target, probability = generator.integers(0, 2, 60), np.round(generator.random(60), 1)
    weight = generator.integers(0, 4, 60)
    copies = np.repeat(np.arange(60), weight)
    assert calibration_error(target, probability, weight=weight) == pytest.approx(
        calibration_error(target[copies], probability[copies]), abs=1e-12
    )


def test_refusals() -> None:
    with pytest.raises(InputError, match=r"probability, row 1: 1.5 is no probability"):
        brier_score([0, 1], [0.5, 1.5])
    with pytest.raises(InputError, match="0 bins"):
        calibration_error([0, 1], [0.5, 0.5], bins=0)
    with pytest.raises(InputError, match="every weight is 0"):
        brier_score([0, 1], [0.5, 0.5], weight=[0, 0])
