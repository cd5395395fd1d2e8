"""Which lesions are explained."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import InputError
from ensemble.explanation import select

RNG = np.random.default_rng(0)
PATIENT = np.repeat(np.arange(40), np.r_[np.full(20, 5), np.full(20, 200)])
SCORE = RNG.random(len(PATIENT))


def test_a_small_cohort_is_chosen_whole() -> None:
    chosen = select(np.array([0, 0, 0, 1]), np.array([0.2, 0.9, 0.9, 0.1]), top=2, sample=4, seed=0)
    assert chosen.rows.tolist() == [0, 1, 2, 3]
    assert chosen.shown.tolist() == [False, True, True, True]
    assert chosen.weight.tolist() == [1, 1, 1, 1]


def test_equal_scores_go_by_the_order_of_rows() -> None:
    chosen = select(np.array([0, 0, 0]), np.array([0.5, 0.5, 0.5]), top=1, sample=3, seed=0)
    assert chosen.shown.tolist() == [True, False, False]


def test_a_sample_stands_for_the_cohort() -> None:
    chosen = select(PATIENT, SCORE, top=3, sample=1000, seed=0)
    assert len(chosen.rows) <= 1000
    assert chosen.weight.sum() == pytest.approx(len(PATIENT))  # 20 x 5 + 20 x 200
    by_patient = np.bincount(chosen.patient, chosen.weight)
    np.testing.assert_allclose(by_patient, np.bincount(PATIENT))
    # 120 highest scores leave 880: all 5 of each small patient, and 39 of each large one
    assert (chosen.weight > 0).sum() == 20 * 5 + 20 * 39
    assert chosen.shown.sum() == 40 * 3
    for patient in range(40):
        best = np.sort(SCORE[patient == PATIENT])[-3:]
        shown = chosen.rows[chosen.shown & (chosen.patient == patient)]
        assert sorted(SCORE[shown]) == best.tolist()


def test_the_random_part_does_not_depend_on_scores() -> None:
    one, other = (select(PATIENT, score, top=3, sample=1000, seed=0) for score in (SCORE, SCORE[::-1].copy()))
    assert one.rows[one.weight > 0].tolist() == other.rows[other.weight > 0].tolist()


def test_with_too_many_top_lesions_the_most_suspicious_patients_are_shown() -> None:
    chosen = select(PATIENT, SCORE, top=50, sample=1000, seed=0)
    shown = np.unique(chosen.patient[chosen.shown])
    highest = np.array([SCORE[patient == PATIENT].max() for patient in range(40)])
    assert chosen.shown.sum() <= 500
    assert 0 < len(shown) < 40
    left_out = np.setdiff1d(np.arange(40), shown)
    assert highest[shown].min() > highest[left_out].max()


def test_a_sample_that_can_not_compare_lesions_is_refused_with_one_that_can() -> None:
    with pytest.raises(InputError, match="use at least 400") as refused:
        select(PATIENT, SCORE, top=50, sample=200, seed=0)
    assert "40 patients" in str(refused.value)
    assert select(PATIENT, SCORE, top=50, sample=400, seed=0).weight.sum() == pytest.approx(len(PATIENT))
