"""Windows of neighbours in sorted order, which find the median absolute deviation without a second sort."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Windows:
    """All windows of h neighbours in sorted order, h being a middle place of the segment.

    Attributes:
        begin: (m,) first position of each window.
        end: (m,) last position of each window.
        starts: (g,) where each segment's windows start among the m.
    """

    begin: Ints
    end: Ints
    starts: Ints

    @classmethod
    def of(cls, starts: Ints, counts: Ints, *, upper: bool) -> Windows:
        """Windows of (count + 1) // 2 values, or count // 2 + 1 if `upper`; one of size 1 if count is 0.

        Args:
            starts: (g,) where each segment starts in sorted order.
            counts: (g,) values present in each.
            upper: Take the upper of an even count's middle places.
        """
        width = np.maximum(counts // 2 + 1 if upper else (counts + 1) // 2, 1)
        number = np.maximum(counts - width + 1, 1)
        first = np.cumsum(number) - number
        begin = np.repeat(starts - first, number) + np.arange(int(number.sum()))
        return cls(begin, begin + np.repeat(width - 1, number), first)
