"""Small measures that several checks share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Rows = npt.NDArray[np.intp]


def generator() -> np.random.Generator:
    """Random numbers that are the same on every machine."""
    return np.random.Generator(np.random.PCG64(0))


def largest_gap(first: Floats, second: Floats) -> float:
    """The Kolmogorov-Smirnov distance: the largest gap between two distribution functions, missing values left out.

    Returns:
        0 for equal distributions, 1 for separate ones; NaN if one side has no value.
    """
    known = [np.sort(values[np.isfinite(values)]) for values in (first, second)]
    if not all(len(values) for values in known):
        return float("nan")
    # scipy's `ks_2samp` takes twenty times as long, for a p-value that is not needed.
    both = np.concatenate(known)
    reached = [np.searchsorted(values, both, side="right") / len(values) for values in known]
    return float(np.abs(reached[0] - reached[1]).max())


def level_gap(first: Floats, second: Floats) -> float:
    """Half the sum over categories of the differences in share, 0 to 1; missing values form a category of their own."""
    codes = [np.where(np.isnan(values), -1, values) for values in (first, second)]
    levels = np.unique(np.concatenate(codes))
    ours, theirs = (np.array([np.mean(values == level) for level in levels]) for values in codes)
    return float(np.abs(ours - theirs).sum() / 2)


def thinned(rows: Rows, most: int) -> Rows:
    """At most `most` of the rows, drawn at random, ascending."""
    return rows if len(rows) <= most else np.sort(generator().choice(rows, size=most, replace=False))
