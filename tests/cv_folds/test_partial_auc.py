import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import auc, roc_auc_score, roc_curve

from cv_folds.metrics import partial_auc
from engine.errors import InputError

SPAN = 0.2


def turned_around(target: NDArray[np.int8], score: NDArray[np.float64]) -> tuple[ArrayLike, ArrayLike]:
    """The official metric exchanges the classes and turns the score around, so sensitivity becomes 1 - FPR."""
    return np.abs(np.asarray(target, dtype=float) - 1), -np.asarray(score, dtype=float)


def official_by_standardised_area(target: NDArray[np.int8], score: NDArray[np.float64]) -> float:
    """scikit-learn's partial AUC, which is McClish's, with his standardisation undone."""
    truth, flipped = turned_around(target, score)
    standardised = roc_auc_score(truth, flipped, max_fpr=SPAN)
    lowest, highest = SPAN**2 / 2, SPAN
    return float(lowest + (highest - lowest) * (2 * standardised - 1))


def official_by_curve(
    target: NDArray[np.int8], score: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> float:
    """The area under the ROC curve of the turned problem, cut off at a false positive rate of 0.2."""
    truth, flipped = turned_around(target, score)
    fpr, tpr, _ = roc_curve(truth, flipped, sample_weight=weight, drop_intermediate=False)
    inside = fpr <= SPAN
    return float(auc(np.append(fpr[inside], SPAN), np.append(tpr[inside], np.interp(SPAN, fpr, tpr))))


def test_every_malignant_lesion_above_every_benign_one() -> None:
    assert partial_auc([0, 0, 0, 1, 1], [1, 2, 3, 4, 5]) == pytest.approx(0.2, abs=1e-15)


def test_every_malignant_lesion_below_every_benign_one() -> None:
    assert partial_auc([1, 1, 0, 0, 0], [1, 2, 3, 4, 5]) == 0


def test_a_constant_score_earns_the_triangle() -> None:
    # The diagonal between sensitivity 0.8 and 1: a triangle of 0.2 by 0.2.
    assert partial_auc([0, 1, 0, 1, 0], [7, 7, 7, 7, 7]) == pytest.approx(0.02, abs=1e-15)


def test_five_malignant_lesions_of_which_one_may_be_missed() -> None:
    # Malignant at 1 3 5 7 9, benign at 0 2 4 6. One of five is 20 %: only the malignant lesion at 1 counts, and 1 of
    # the 4 benign ones lies below it: 0.2 * 1/4.
    score = [1, 3, 5, 7, 9, 0, 2, 4, 6]
    assert partial_auc([1] * 5 + [0] * 4, score) == pytest.approx(0.05, abs=1e-15)


def test_a_tie_across_the_edge_is_a_straight_line() -> None:
    # Two malignant lesions tie with 2 of the 4 benign ones; 1 benign lies below. 0.2 of the malignant weight is u = 0.4
    # of the tie's 0.5 (the other malignant lesions are above): 0.5 * 0.4 * (1/4 + 0.4 * (2/4) / 2) = 0.2 * 0.35.
    target = [0, 1, 1, 0, 0, 0, 1, 1]
    score = [1, 2, 2, 2, 2, 3, 4, 5]
    assert partial_auc(target, score) == pytest.approx(0.2 * 0.35, abs=1e-15)
    # Ties at one half would give 0.2 * (1/4 + 1/4), off by 0.03.


def test_another_edge() -> None:
    # Above 50 % sensitivity the two lowest of four malignant lesions count; benign below them: 1 of 2, then 2 of 2.
    assert partial_auc([1, 1, 1, 1, 0, 0], [2, 4, 5, 6, 1, 3], min_sensitivity=0.5) == pytest.approx(0.25 * 1.5)
    assert partial_auc([1, 0, 1, 0], [4, 3, 2, 1], min_sensitivity=0.0) == pytest.approx(0.75)  # AUC: 3 of 4 pairs


@pytest.mark.parametrize("seed", range(150))
def test_equals_the_official_definition_under_heavy_ties(seed: int) -> None:
    generator = np.random.default_rng(seed)
    size, levels = int(generator.integers(5, 400)), int(generator.integers(1, 30))
    target = (generator.random(size) < generator.choice([0.02, 0.2, 0.6])).astype(np.int8)
    target[:2] = 0, 1
    score = np.round(generator.normal(size=size) * levels / 6 + target) * generator.choice([1e-3, 1.0, 1e6])
    ours = partial_auc(target, score)
    assert ours == pytest.approx(official_by_standardised_area(target, score), abs=1e-12)
    assert ours == pytest.approx(official_by_curve(target, score), abs=1e-12)


@pytest.mark.parametrize("seed", range(40))
def test_weights_equal_the_weighted_curve(seed: int) -> None:
    generator = np.random.default_rng(seed)
    target = (generator.random(300) < 0.2).astype(np.int8)
    score = np.round(generator.normal(size=300) * 2 + target)
    weight = generator.choice([0.0, 0.3, 1.0, 2.5], size=300)
    assert partial_auc(target, score, weight=weight) == pytest.approx(
        official_by_curve(target, score, weight), abs=1e-12
    )


def test_full_size_equals_the_official_definition() -> None:
    generator = np.random.default_rng(5)
    target = np.zeros(401_059, dtype=np.int8)
    target[generator.choice(target.size, 393, replace=False)] = 1
    score = np.round(generator.normal(size=target.size) + 2 * target, 1)
    assert partial_auc(target, score) == pytest.approx(official_by_standardised_area(target, score), abs=1e-12)


def test_small_float32_scores_keep_their_order() -> None:
    # Turning around by 1 - score rounds these to 1 and ties them; the order is perfect and must stay so.
    score = np.array([1e-12, 2e-12, 3e-12, 4e-12], dtype=np.float32)
    assert partial_auc([0, 0, 1, 1], score) == pytest.approx(0.2, abs=1e-15)


ranked = st.lists(st.tuples(st.integers(0, 1), st.integers(-4, 4), st.integers(0, 3)), min_size=2, max_size=40).filter(
    lambda rows: {label for label, _, weight in rows if weight} == {0, 1}
)


@settings(deadline=None)
@given(ranked)
def test_a_whole_weight_is_as_good_as_that_many_copies(rows: list[tuple[int, int, int]]) -> None:
    target, score, weight = np.array(rows).T
    copies = np.repeat(np.arange(len(rows)), weight)
    assert partial_auc(target, score, weight=weight) == pytest.approx(
        partial_auc(target[copies], score[copies]), abs=1e-12
    )


@settings(deadline=None)
@given(ranked, st.randoms(use_true_random=False))
def test_depends_on_order_alone(rows: list[tuple[int, int, int]], random: st.DrawFn) -> None:
    target, score, weight = np.array(rows).T
    value = partial_auc(target, score, weight=weight)
    assert 0 <= value <= 0.2 + 1e-15
    assert partial_auc(target, np.exp(score) * 1e-3, weight=weight) == value
    turned = np.arange(len(rows))[::-1]
    assert partial_auc(target[turned], score[turned], weight=weight[turned]) == value


@pytest.mark.parametrize("edge", [-0.1, 1.0, 1.5, float("nan")])
def test_refuses_an_edge_outside_its_range(edge: float) -> None:
    with pytest.raises(InputError, match="min_sensitivity"):
        partial_auc([0, 1], [0, 1], min_sensitivity=edge)
