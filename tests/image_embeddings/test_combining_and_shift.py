"""Scores of several models as one, and the shift of new scores."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from image_embeddings.combining import combined, normal_score
from image_embeddings.shift import shift

NAN = float("nan")


def test_normal_score_of_the_reference_itself() -> None:
    # Four reference scores hold the middles of quarters: 0.125, 0.375, 0.625, 0.875.
    reference = np.array([3.0, 1.0, 2.0, 4.0])
    expected = stats.norm.ppf([0.625, 0.125, 0.375, 0.875])
    np.testing.assert_allclose(normal_score(reference, reference), expected)


def test_ties_share_their_middle() -> None:
    # 1 holds the first half (middle 0.25), each of 2 and 3 a quarter.
    np.testing.assert_allclose(normal_score(np.array([1.0, 1.0, 2.0, 3.0]), np.array([1.0])), stats.norm.ppf([0.25]))


def test_beyond_the_ends_it_stays_and_nan_stays() -> None:
    reference = np.array([0.0, 1.0])
    value = normal_score(reference, np.array([-9.0, 9.0, NAN]))
    np.testing.assert_allclose(value[:2], stats.norm.ppf([0.25, 0.75]))
    assert np.isnan(value[2])


def test_a_lesion_scores_the_same_alone_and_in_company() -> None:
    chance = np.random.default_rng(0)
    references = [chance.random(50), chance.random(50) ** 3]
    scores = [chance.random(20), chance.random(20)]
    together = combined(references, scores)
    alone = [combined(references, [part[place : place + 1] for part in scores])[0] for place in range(20)]
    np.testing.assert_array_equal(together, alone)


def test_combining_is_free_of_scale_and_lets_the_other_speak_where_one_is_missing() -> None:
    chance = np.random.default_rng(1)
    first, second = chance.random(40), chance.random(40)
    plain = combined([first, second], [first, second])
    np.testing.assert_allclose(combined([first * 9, second**3], [first * 9, second**3]), plain)
    holed = first.copy()
    holed[[3, 5]] = NAN
    gone = second.copy()
    gone[5] = NAN
    value = combined([first, second], [holed, gone])
    assert value[3] == pytest.approx(stats.norm.cdf(normal_score(second, second[3:4])[0]))
    assert np.isnan(value[5])
    assert np.isfinite(np.delete(value, 5)).all()


def test_shift_of_equal_and_of_disjoint_scores() -> None:
    score = np.linspace(0, 1, 50)
    same, other = shift(score, score), shift(score, score + 2)
    assert same["ks"] == 0
    assert same["std_ratio"] == pytest.approx(1)
    assert other["ks"] == 1
    assert other["quantiles"]["0.5"] == {"out_of_fold": pytest.approx(0.5), "new": pytest.approx(2.5)}


def test_shift_leaves_missing_scores_out_and_three_rows_are_enough() -> None:
    result = shift(np.linspace(0, 1, 50), np.array([0.1, NAN, 0.4]))
    assert result["counts"] == {"out_of_fold": 50, "new": 2}
    assert result["ks"] is not None
    assert shift(np.linspace(0, 1, 50), np.array([0.1]))["ks"] is None
