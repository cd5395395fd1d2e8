"""Count, mean and sum of squares of each segment, exact when all values are equal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.arithmetic.segments import Floats, Segments


@dataclass(frozen=True, eq=False)
class Moments:
    """First two moments of segments; missing values are left out.

    Attributes:
        complete: Whether no value is missing.
        count: (g,) values present.
        mean: (g,) mean; NaN if none is present.
        squares: (g,) sum of squared deviations from the mean.
        deviation: (n,) value minus the mean of its segment; NaN where the value is missing.
    """

    complete: bool
    count: Floats
    mean: Floats
    squares: Floats
    deviation: Floats

    def count_spread(self, segments: Segments) -> Floats:
        """`count` (n,) at each row."""
        return segments.counts_spread if self.complete else segments.spread(self.count)


def moments(segments: Segments, values: Floats) -> Moments:
    """Moments of `values` (n,); NaN is missing.

    Values are taken relative to the segment's minimum, so equal values have deviations of exactly 0, and the sum of
    squares is taken about the mean (two passes).
    """
    missing = np.isnan(values)
    some = bool(missing.any())
    lowest = segments.lowest(values)
    above = values - segments.spread(lowest)
    count = segments.counts
    if some:
        above[missing] = 0.0
        count = segments.total((~missing).astype(np.float64))
    rise = segments.total(above) / np.maximum(count, 1.0)
    deviation = above
    deviation -= segments.spread(rise)
    if some:
        deviation[missing] = 0.0
    squares = segments.total(deviation * deviation)
    if some:
        deviation[missing] = np.nan
    return Moments(not some, count, lowest + rise, squares, deviation)
