import numpy as np
import pytest

from features.arithmetic.moments import moments
from features.arithmetic.order import TO_SD, block_order, median, mid_rank_share, order_within, robust_sd
from features.arithmetic.segments import Floats, Segments

CODES = np.array([0, 1, 0, 2, 1, 0, 3])
#        rows of 0: 0 2 5; of 1: 1 4; of 2: 3; of 3: 6
VALUES = np.array([4.0, 7.0, 1.0, np.nan, 7.0, np.nan, 5.0])


@pytest.fixture
def segments() -> Segments:
    return Segments.from_codes(CODES)


def test_rows_starts_sizes_and_first_rows(segments: Segments) -> None:
    assert segments.rows is not None
    assert segments.rows.tolist() == [0, 2, 5, 1, 4, 3, 6]
    assert segments.starts.tolist() == [0, 3, 5, 6]
    assert segments.sizes.tolist() == [3, 2, 1, 1]
    assert segments.first.tolist() == [0, 1, 3, 6]
    assert segments.places.tolist() == [0, 1, 2, 0, 1, 0, 0]


def test_codes_already_in_order_need_no_rows() -> None:
    assert Segments.from_codes(np.array([0, 0, 1])).rows is None
    assert Segments.from_sizes(np.array([2, 1])).ids.tolist() == [0, 0, 1]


def test_totals_and_extremes(segments: Segments) -> None:
    assert segments.total(np.nan_to_num(VALUES)).tolist() == [5.0, 14.0, 0.0, 5.0]
    assert segments.lowest(VALUES).tolist()[:2] == [1.0, 7.0]
    assert segments.highest(VALUES).tolist()[:2] == [4.0, 7.0]
    assert np.isnan(segments.highest(VALUES)[2])
    assert segments.spread(np.array([1.0, 2.0, 3.0, 4.0])).tolist() == [1, 2, 1, 3, 2, 1, 4]


def test_moments_leave_missing_values_out(segments: Segments) -> None:
    found = moments(segments, VALUES)
    assert not found.complete
    assert found.count.tolist() == [2, 2, 0, 1]
    assert found.mean[[0, 1, 3]].tolist() == [2.5, 7.0, 5.0]
    assert found.squares.tolist() == [4.5, 0.0, 0.0, 0.0]
    np.testing.assert_array_equal(found.deviation, [1.5, 0.0, -1.5, np.nan, 0.0, np.nan, 0.0])


def test_equal_values_deviate_by_exactly_nothing() -> None:
    # The mean of three times 0.1 is not 0.1 in binary.
    found = moments(Segments.from_sizes(np.array([3])), np.full(3, 0.1))
    assert found.deviation.tolist() == [0.0, 0.0, 0.0]
    assert found.squares.tolist() == [0.0]


def _ordered(segments: Segments, values: Floats) -> tuple[Floats, Floats, Floats]:
    count = moments(segments, values).count
    ordered = order_within(segments, values, block_order(values), count)
    middle = median(ordered)
    return mid_rank_share(ordered), middle, robust_sd(ordered, middle)


def test_ranks_medians_and_deviations_by_hand(segments: Segments) -> None:
    share, middle, spread = _ordered(segments, VALUES)
    np.testing.assert_array_equal(share, [0.75, 0.5, 0.25, np.nan, 0.5, np.nan, 0.5])
    np.testing.assert_array_equal(middle, [2.5, 7.0, np.nan, 5.0])
    np.testing.assert_array_equal(spread, [1.5 * TO_SD, 0.0, np.nan, 0.0])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_against_loops_with_heavy_ties(seed: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 40, 500)
    values = rng.integers(0, 12, 500).astype(float)
    values[rng.random(500) < missing] = np.nan
    segments = Segments.from_codes(codes)
    share, middle, spread = _ordered(segments, values)
    for segment, code in enumerate(np.unique(codes)):
        mine = values[codes == code]
        known = mine[~np.isnan(mine)]
        if not known.size:
            assert np.isnan(middle[segment])
            continue
        assert middle[segment] == np.median(known)
        assert spread[segment] == pytest.approx(TO_SD * np.median(np.abs(known - np.median(known))))
        for got, value in zip(share[codes == code], mine, strict=True):
            want = ((known < value).sum() + (known == value).sum() / 2) / known.size
            assert np.isnan(got) if np.isnan(value) else got == pytest.approx(want)


def test_more_rows_than_a_short_key_can_number() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 1000, 70_000).astype(float)
    segments = Segments.from_sizes(np.array([66_000, 4_000]))
    share, middle, _ = _ordered(segments, values)
    assert middle[0] == np.median(values[:66_000])
    assert share[66_000:].mean() == pytest.approx(0.5)


def test_a_sum_has_the_same_bits_wherever_the_segment_stands() -> None:
    rng = np.random.default_rng(1)
    mine = rng.normal(size=777)
    alone = np.add.reduceat(mine, [0])[0]
    for before in range(20):
        values = np.concatenate([rng.normal(size=before), mine, rng.normal(size=13)])
        starts = [0, before, before + 777] if before else [0, 777]
        assert np.add.reduceat(values, starts)[1 if before else 0] == alone
