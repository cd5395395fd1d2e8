import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from cv_folds.metrics import balanced_accuracy, class_sensitivities
from engine.errors import InputError


def test_mean_of_the_classes_shares() -> None:
    # MEL 1 of 2, NV 3 of 4, DF 0 of 1; BCC is only ever predicted and does not count.
    truth = ["MEL", "MEL", "NV", "NV", "NV", "NV", "DF"]
    guess = ["MEL", "NV", "NV", "NV", "NV", "BCC", "NV"]
    assert balanced_accuracy(truth, guess) == pytest.approx((1 / 2 + 3 / 4 + 0) / 3)
    table = class_sensitivities(truth, guess)
    assert table.rows() == [("DF", 1.0, 0.0), ("MEL", 2.0, 0.5), ("NV", 4.0, 0.75)]


def test_a_constant_prediction_earns_one_over_the_classes() -> None:
    assert balanced_accuracy([0, 1, 2, 2], [2, 2, 2, 2]) == pytest.approx(1 / 3)


def test_weights_and_classes_of_weight_zero() -> None:
    # Class 1: 1 of 4; class 2 weighs nothing and does not count.
    assert balanced_accuracy([1, 1, 2], [1, 3, 3], weight=[1, 3, 0]) == 0.25


@pytest.mark.parametrize("seed", range(10))
def test_equals_scikit_learn(seed: int) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 7, 200)
    guess = np.where(generator.random(200) < 0.6, truth, generator.integers(0, 7, 200))
    weight = generator.random(200)
    expected = balanced_accuracy_score(truth, guess, sample_weight=weight)
    assert balanced_accuracy(truth, guess, weight=weight) == pytest.approx(expected, abs=1e-12)


def test_refusals() -> None:
    with pytest.raises(InputError, match="target has 2 rows and predicted has 1"):
        balanced_accuracy(["a", "b"], ["a"])
    with pytest.raises(InputError, match="a class is missing"):
        balanced_accuracy(["a", None], ["a", "b"])
    with pytest.raises(InputError, match="a class is missing"):
        balanced_accuracy([], [])
    with pytest.raises(InputError, match="every weight is 0"):
        balanced_accuracy(["a"], ["a"], weight=[0])
    with pytest.raises(InputError, match="is negative"):
        balanced_accuracy(["a"], ["a"], weight=[-1])
