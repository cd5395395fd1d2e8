import numpy as np
import pytest

from cv_folds.bootstrap.units import Units


def test_patients_are_units_of_their_own() -> None:
    units = Units.of(np.array([0, 0, 1, 1, 2, 2]), [np.array([0, 0, 1, 2, 0, 0])])
    assert units.rows.tolist() == [0, 1, 2, 3, 4, 5]
    assert units.code.tolist() == [0, 0, 1, 1, 2, 2]
    assert units.multiplicity.tolist() == [1, 1, 1]


def test_lesions_of_one_slot_in_every_view_are_one_unit() -> None:
    # 60 single lesions in slots 0, 1, 2 of one view; the second view splits slot 0 in two. 20 each, slot 0 as 5 + 15.
    first = np.repeat([0, 1, 2], 20)
    second = np.where(np.arange(60) < 5, 4, -1)
    units = Units.of(np.arange(60), [first, second])
    assert sorted(units.multiplicity.tolist()) == [5, 15, 20, 20]
    assert len(units.rows) == 4
    pairs = {(int(first[row]), int(second[row])) for row in units.rows}
    assert pairs == {(0, 4), (0, -1), (1, -1), (2, -1)}


def test_grouping_leaves_patients_of_several_lesions_alone() -> None:
    # 40 patients of one lesion in slot 3, and one patient with two lesions there.
    patient = np.append(np.arange(40), [40, 40])
    units = Units.of(patient, [np.full(42, 3)])
    assert sorted(units.multiplicity.tolist()) == [1, 40]
    assert sorted(np.bincount(units.code).tolist()) == [1, 2]
    assert len(units.rows) == 3


@pytest.mark.parametrize("multiplicity", [[1] * 30, [1, 9, 20]])
def test_a_replicate_draws_as_many_as_there_are(multiplicity: list[int]) -> None:
    units = Units(np.arange(len(multiplicity)), np.arange(len(multiplicity)), np.array(multiplicity))
    weights = next(units.draws(0))
    assert weights.shape[0] == len(multiplicity)
    assert (weights.sum(axis=0) == 30).all()
    assert (weights == np.round(weights)).all()


def test_draws_follow_the_multinomial_distribution() -> None:
    # 30 patients, 30 draws: each is drawn Binomial(30, 1/30) times: mean 1, variance 29/30, absent 0.3617 of the time.
    units = Units(np.arange(30), np.arange(30), np.ones(30, dtype=np.int64))
    stream = units.draws(4)
    weights = np.concatenate([next(stream) for _ in range(40)], axis=1)
    assert weights.size > 300_000
    assert weights.mean() == 1
    assert weights.var() == pytest.approx(29 / 30, rel=0.01)
    assert (weights == 0).mean() == pytest.approx((29 / 30) ** 30, abs=0.005)
    assert np.abs(weights.mean(axis=1) - 1).max() < 0.05


def test_counts_of_a_group_follow_the_binomial_distribution() -> None:
    # 9 of 30 lesions: mean 9, variance 30 * 0.3 * 0.7 = 6.3.
    units = Units(np.arange(3), np.arange(3), np.array([1, 9, 20]))
    stream = units.draws(4)
    weights = np.concatenate([next(stream) for _ in range(80)], axis=1)
    assert weights[1].mean() == pytest.approx(9, abs=0.1)
    assert weights[1].var() == pytest.approx(6.3, rel=0.05)


def test_the_same_seed_draws_the_same() -> None:
    units = Units(np.arange(9), np.arange(9), np.ones(9, dtype=np.int64))
    np.testing.assert_array_equal(next(units.draws(7)), next(units.draws(7)))
    assert (next(units.draws(7)) != next(units.draws(8))).any()
