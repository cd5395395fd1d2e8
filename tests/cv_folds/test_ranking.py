import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from cv_folds.metrics import METRICS, RankMetric, roc_auc

assert isinstance(METRICS["average_precision"], RankMetric)
average_precision = METRICS["average_precision"]


def test_auc_counts_pairs() -> None:
    # Malignant 2 and 4 against benign 1, 3, 4: 2>1; 4>1, 4>3, 4=4 (half) -> 3.5 of 6 pairs.
    assert roc_auc([1, 1, 0, 0, 0], [2, 4, 1, 3, 4]) == pytest.approx(3.5 / 6, abs=1e-15)


def test_auc_ends_of_the_range() -> None:
    assert roc_auc([0, 0, 1], [1, 2, 3]) == 1
    assert roc_auc([1, 0, 0], [1, 2, 3]) == 0
    assert roc_auc([1, 0, 0], [5, 5, 5]) == 0.5


def test_average_precision_by_hand() -> None:
    # Falling scores: M B M B B M. Precision at the malignant ones: 1/1, 2/3, 3/6.
    assert average_precision([1, 0, 1, 0, 0, 1], [6, 5, 4, 3, 2, 1]) == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)


def test_average_precision_flags_a_tie_as_a_whole() -> None:
    # One malignant and one benign lesion tie at the top: 1/2; the other malignant lesion comes next: 2/3.
    assert average_precision([1, 0, 1, 0], [3, 3, 2, 1]) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_average_precision_of_a_constant_is_the_prevalence() -> None:
    assert average_precision([1, 0, 0, 0], [1, 1, 1, 1]) == 0.25


@pytest.mark.parametrize("seed", range(60))
def test_equal_scikit_learn_with_ties_and_weights(seed: int) -> None:
    generator = np.random.default_rng(seed)
    target = (generator.random(200) < 0.15).astype(int)
    target[:2] = 0, 1
    score = np.round(generator.normal(size=200) * generator.choice([0.5, 3, 100]) + target)
    weight = generator.choice([0.0, 0.2, 1.0, 3.0], size=200)
    weight[:2] = 1
    for chosen in (None, weight):
        assert roc_auc(target, score, weight=chosen) == pytest.approx(
            roc_auc_score(target, score, sample_weight=chosen), abs=1e-12
        )
        assert average_precision(target, score, weight=chosen) == pytest.approx(
            average_precision_score(target, score, sample_weight=chosen), abs=1e-12
        )
