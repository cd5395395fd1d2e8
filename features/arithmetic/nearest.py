"""Exact nearest neighbours among one patient's lesions, and the local outlier factor.

Everything here works on one patient at a time, with a fixed row order, fixed chunks and one linear algebra thread (set
by the executors): the bits depend neither on what else is scored nor on the number of cores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.arithmetic.segments import Floats

_CHUNK = 1 << 15
_CLOSEST_REACH = 1e-3


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The k nearest neighbours of each of n points.

    Attributes:
        index: (n, k) their numbers, ascending.
        distance: (n, k) their distances.
    """

    index: NDArray[np.intp]
    distance: Floats


def centre(points: Floats) -> Floats:
    """`points` (n, d) as deviations from their mean; exactly 0 for equal points."""
    deviation: Floats = points - points[0]
    deviation -= deviation.mean(axis=0)
    return deviation


def nearest(points: Floats, k: int) -> Neighbours:
    """The exact `k` nearest neighbours of each point by Euclidean distance.

    Distances come from one matrix product per chunk, |b|² - 2 a·b, in double precision on centred points.

    Args:
        points: (n, d), finite.
        k: At most n - 1.
    """
    n = len(points)
    centred = centre(points)
    squares = (centred * centred).sum(axis=1)
    left = np.column_stack((centred, np.ones(n)))
    right = np.ascontiguousarray(np.column_stack((-2.0 * centred, squares)).T)
    index = np.empty((n, k), dtype=np.intp)
    distance = np.empty((n, k))
    chunk = int(np.clip(_CHUNK // n, 32, 512))
    for begin in range(0, n, chunk):
        rows = np.arange(begin, min(begin + chunk, n))
        apart = left[rows] @ right
        apart[rows - begin, rows] = np.inf
        found = np.argpartition(apart, k - 1, axis=1)[:, :k]
        found.sort(axis=1)
        index[rows] = found
        distance[rows] = np.take_along_axis(apart, found, axis=1) + squares[rows, None]
    return Neighbours(index, np.sqrt(np.maximum(distance, 0.0)))


def local_outlier_factor(found: Neighbours) -> Floats:
    """Local outlier factor (n,): mean density of the neighbours over the point's own; about 1 inside a cluster.

    Breunig et al., LOF: identifying density-based local outliers, SIGMOD 2000. The mean reachability distance is at
    least 0.001, so that coinciding points have a finite density.
    """
    reach = found.distance.max(axis=1)
    mean = np.maximum(reach[found.index], found.distance).mean(axis=1)
    density = 1.0 / np.maximum(mean, _CLOSEST_REACH)
    return np.asarray(density[found.index].mean(axis=1) / density, dtype=np.float64)
