"""Order statistics of many segments at once: sorted values, mid-ranks, medians, the median absolute deviation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.arithmetic.segments import Floats, Segments
from features.arithmetic.windows import Ints, Windows

TO_SD = 1.482602218505602
"""Factor from the median absolute deviation of a normal distribution to its standard deviation."""


@dataclass(frozen=True, eq=False)
class Ordered:
    """The values of a block, sorted within each segment.

    Attributes:
        segments: The partition.
        rows: (n,) row at each position: segment by segment, ascending within, missing values last.
        values: (n,) value at each position.
        count: (g,) values present.
    """

    segments: Segments
    rows: Ints
    values: Floats
    count: Floats

    def windows(self, *, upper: bool) -> Windows:
        """Windows of the lower or the upper middle place."""
        if self.count is self.segments.counts:
            return self.segments.upper_windows if upper else self.segments.lower_windows
        return Windows.of(self.segments.starts, self.count.astype(np.intp), upper=upper)

    def at(self, place: Ints) -> Floats:
        """The value at `place` (g,) of each segment, from 0, clipped to the values present; NaN if there are none."""
        last = np.maximum(self.count.astype(np.intp) - 1, 0)
        return self.values[self.segments.starts + np.clip(place, 0, last)]


def block_order(values: Floats) -> NDArray[np.int32]:
    """Rows (n,) in ascending order of `values` over the whole block, missing last; shared by all its partitions."""
    return np.argsort(values).astype(np.int32)


def order_within(segments: Segments, values: Floats, order: NDArray[np.int32], count: Floats) -> Ordered:
    """Sort within each segment.

    One integer sort of (segment, place in the block's order) serves all segments at once. Equal values may come in
    either order, which affects no statistic here.

    Args:
        segments: The partition.
        values: (n,) NaN is missing.
        order: `block_order(values)`.
        count: (g,) values present.
    """
    if order.size <= 0x10000:
        keys = segments.keys[order]
        keys |= np.arange(order.size, dtype=np.uint32)
        keys.sort()
        rows = order[keys & 0xFFFF]
    else:
        wide = segments.ids[order] << 32 | np.arange(order.size)
        wide.sort()
        rows = order[wide & 0xFFFFFFFF]
    return Ordered(segments, rows, values[rows], count)


def mid_rank_share(ordered: Ordered) -> Floats:
    """Share of the segment below each value, ties counted half: (mid-rank - 1/2) / count, in (0, 1).

    Returns:
        (n,) in row order; NaN where the value is missing. A lone lesion has 0.5.
    """
    segments, values = ordered.segments, ordered.values
    share = (segments.places + 0.5) / segments.repeat(np.maximum(ordered.count, 1.0))
    tied = np.flatnonzero(values[1:] == values[:-1])
    if tied.size:
        _share_ties(share, ordered, tied)
    share[np.isnan(values)] = np.nan
    result: Floats = np.empty_like(share)
    result[ordered.rows] = share
    return result


def _share_ties(share: Floats, ordered: Ordered, tied: Ints) -> None:
    """Give equal values the middle place of their run; `tied` holds the first position of each equal pair."""
    segments = ordered.segments
    joins = np.zeros(share.size, dtype=bool)
    joins[tied + 1] = True
    joins[segments.starts] = False
    first = np.flatnonzero(~joins)
    length = np.diff(np.append(first, share.size))
    runs = length > 1
    first, length = first[runs], length[runs]
    count = np.maximum(ordered.count, 1.0)[segments.ids[ordered.rows[first]]]
    middle = (segments.places[first] + length / 2) / count
    where = np.repeat(first - np.cumsum(length) + length, length) + np.arange(int(length.sum()))
    share[where] = np.repeat(middle, length)


def median(ordered: Ordered) -> Floats:
    """Median (g,) of each segment, the mean of the middle two if the count is even; NaN if all are missing."""
    count = ordered.count.astype(np.intp)
    low = ordered.at((count - 1) // 2)
    return low + (ordered.at(count // 2) - low) / 2


def robust_sd(ordered: Ordered, centre: Floats) -> Floats:
    """1.4826 × median absolute deviation (g,) from `centre` (g,), the segment's median; NaN if all are missing.

    The h values nearest to the median are adjacent in sorted order, so the h-th smallest deviation is the least
    radius of any window of h neighbours: no second sort is needed.
    """
    deviation = ordered.values - ordered.segments.repeat(centre)
    low = _radius(deviation, ordered.windows(upper=False))
    high = _radius(deviation, ordered.windows(upper=True))
    return np.where(ordered.count > 0, TO_SD * (low + (high - low) / 2), np.nan)


def _radius(deviation: Floats, windows: Windows) -> Floats:
    """Least radius (g,) about 0 that holds a window of the sorted deviations."""
    radius = np.maximum(-deviation[windows.begin], deviation[windows.end])
    return np.asarray(np.minimum.reduceat(radius, windows.starts), dtype=np.float64)
