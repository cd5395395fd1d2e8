"""Sums, counts and extremes over segments of rows, with bits that do not depend on what else is in the array.

`numpy.add.reduceat` adds each segment by itself, pairwise from its first element; unlike differences of a running sum,
it lets in no rounding from other segments. Rows of a segment are always in `isic_id` order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.arithmetic.windows import Ints, Windows

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Segments:
    """A partition of n rows into g segments, each inside one patient.

    Attributes:
        rows: (n,) row numbers, segment by segment, ascending within each; None if already in that order.
        starts: (g,) where each segment starts in `rows`.
        sizes: (g,) rows in each segment.
        ids: (n,) segment of each row, in row order.
    """

    rows: Ints | None
    starts: Ints
    sizes: Ints
    ids: Ints

    @classmethod
    def from_sizes(cls, sizes: Ints) -> Segments:
        """Consecutive segments of the given `sizes` (g,)."""
        starts = np.cumsum(sizes) - sizes
        return cls(None, starts, sizes, np.repeat(np.arange(sizes.size), sizes))

    @classmethod
    def from_codes(cls, codes: NDArray[np.int64]) -> Segments:
        """Rows with equal `codes` (n,) form a segment."""
        rows = np.argsort(codes, kind="stable")
        ordered = codes[rows]
        first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        sizes = np.diff(np.append(first, codes.size))
        ids = np.empty(codes.size, dtype=np.intp)
        ids[rows] = np.repeat(np.arange(first.size), sizes)
        already = bool(np.all(rows[1:] > rows[:-1]))
        return cls(None if already else rows, first, sizes, ids)

    @cached_property
    def counts(self) -> Floats:
        """`sizes` (g,) as floating-point numbers."""
        return self.sizes.astype(np.float64)

    @cached_property
    def first(self) -> Ints:
        """The first row (g,) of each segment."""
        return self.starts if self.rows is None else self.rows[self.starts]

    @cached_property
    def places(self) -> Ints:
        """Place (n,) of each position within its segment, from 0, in segment order."""
        return np.arange(self.ids.size) - np.repeat(self.starts, self.sizes)

    @cached_property
    def lower_windows(self) -> Windows:
        """Windows of the lower middle place, if none is missing."""
        return Windows.of(self.starts, self.sizes, upper=False)

    @cached_property
    def upper_windows(self) -> Windows:
        """Windows of the upper middle place, if none is missing."""
        return Windows.of(self.starts, self.sizes, upper=True)

    @cached_property
    def keys(self) -> NDArray[np.uint32]:
        """`ids` (n,) in the upper half of a 32-bit key, for blocks of at most 65,536 rows."""
        return (self.ids << 16).astype(np.uint32)

    @cached_property
    def counts_spread(self) -> Floats:
        """`sizes` (n,) at each row."""
        return self.spread(self.counts)

    @cached_property
    def leverage(self) -> Floats:
        """N / (n - 1) at each row (n,), 1 for a lone row: deviation from the others over deviation from all."""
        return self.spread(self.counts / np.maximum(self.counts - 1, 1.0))

    def gather(self, values: Floats) -> Floats:
        """`values` (n,) in segment order."""
        return values if self.rows is None else values[self.rows]

    def total(self, values: Floats) -> Floats:
        """Sum (g,) of each segment."""
        return np.asarray(np.add.reduceat(self.gather(values), self.starts), dtype=np.float64)

    def lowest(self, values: Floats) -> Floats:
        """Minimum (g,) of each segment, ignoring NaN; NaN if nothing is left."""
        return np.asarray(np.fmin.reduceat(self.gather(values), self.starts), dtype=np.float64)

    def highest(self, values: Floats) -> Floats:
        """Maximum (g,) of each segment, ignoring NaN; NaN if nothing is left."""
        return np.asarray(np.fmax.reduceat(self.gather(values), self.starts), dtype=np.float64)

    def spread(self, statistic: Floats) -> Floats:
        """A segment's statistic (g,) at each of its rows (n,)."""
        return self.repeat(statistic) if self.rows is None else statistic[self.ids]

    def repeat(self, statistic: Floats) -> Floats:
        """A segment's statistic (g,) at each of its positions (n,) in segment order."""
        return np.repeat(statistic, self.sizes)
