from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cv_folds.metrics import SETOP15, retrieval_at
from engine.errors import InputError


def test_mean_over_patients_of_the_share_on_the_shortlist() -> None:
    # Shortlist of 2. a: malignant 9, 1 of 9 5 4 1 -> 1 of 2. b: malignant 3 of 3 2 -> 1 of 1. c has none: left out.
    target = [1, 0, 0, 1, 1, 0, 0]
    score = [9, 5, 4, 1, 3, 2, 8]
    patient = ["a", "a", "a", "a", "b", "b", "c"]
    assert retrieval_at(2)(target, score, patient) == (1 / 2 + 1) / 2


def test_a_tie_at_the_last_place_is_drawn_fairly() -> None:
    # Shortlist of 2: 9 is on it; 1 place for the three lesions at 5, one of them malignant: 1/3.
    assert retrieval_at(2)([0, 1, 0, 0, 0], [9, 5, 5, 5, 1], [1] * 5) == pytest.approx(1 / 3)


def test_a_constant_score_earns_chance() -> None:
    # 15 of 60 lesions are drawn: each malignant one with probability 1/4.
    assert SETOP15([1] * 3 + [0] * 57, [0] * 60, ["p"] * 60) == pytest.approx(0.25)


def test_patients_with_few_lesions_are_always_found() -> None:
    assert SETOP15([1, 0, 0], [1, 2, 3], ["p"] * 3) == 1


def test_more_malignant_lesions_than_places() -> None:
    # 20 malignant lesions on top of 1 benign one: 15 of 20.
    assert SETOP15([1] * 20 + [0], [*range(2, 22), 1], ["p"] * 21) == 0.75


def by_every_order(target: tuple[int, ...], score: tuple[int, ...], k: int) -> float:
    """Mean share of one patient's malignant lesions among the first k, over every order of rows that sorts stably."""
    shares = []
    for order in permutations(range(len(score))):
        shortlist = sorted(order, key=lambda row: -score[row])[:k]
        shares.append(sum(target[row] for row in shortlist) / sum(target))
    return float(np.mean(shares))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=6).filter(
        lambda rows: any(label for label, _ in rows)
    ),
    st.integers(1, 6),
)
def test_equals_the_mean_over_every_order_of_rows(rows: list[tuple[int, int]], k: int) -> None:
    target, score = zip(*rows, strict=True)
    # A benign lesion of a second patient completes the classes without counting.
    value = retrieval_at(k)([*target, 0], [*score, 0], [*["p"] * len(rows), "q"])
    assert value == pytest.approx(by_every_order(target, score, k), abs=1e-12)


def test_the_order_of_rows_does_not_matter() -> None:
    generator = np.random.default_rng(3)
    patient = generator.integers(0, 30, size=900)
    target = (generator.random(900) < 0.1).astype(int)
    score = np.round(generator.normal(size=900) * 2)
    value = retrieval_at(5)(target, score, patient)
    for _ in range(5):
        order = generator.permutation(900)
        assert retrieval_at(5)(target[order], score[order], patient[order]) == value


def test_ids_may_be_text_or_numbers() -> None:
    target, score = [1, 0, 0, 1], [1, 2, 1, 2]
    assert retrieval_at(1)(target, score, ["x", "x", "y", "y"]) == 0.5
    assert retrieval_at(1)(target, score, [10, 10, 9, 9]) == 0.5


def test_refusals() -> None:
    with pytest.raises(InputError, match="a shortlist of 0"):
        retrieval_at(0)([1, 0], [1, 2], ["a", "a"])
    with pytest.raises(InputError, match="1 lesions have no patient id"):
        SETOP15([1, 0], [1, 2], ["a", None])
    with pytest.raises(InputError, match="no malignant lesion"):
        SETOP15([0, 0], [1, 2], ["a", "b"])
