"""Geometry shared by every crop of one size: distance from the centre, rings, discs."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FIELD_MM = 15.0
"""Width of skin that a SLICE-3D crop shows, in mm; a store of another scale has other millimetres."""

AXES = ("l", "a", "b")
"""L*, a*, b* in the names of descriptors."""
RING_EDGES = (0.0, 0.15, 0.3, 0.45, 0.65, 0.9, 1.45)
"""Outer radii of the rings, as shares of half the crop's width; the last takes in the corners."""


@lru_cache(maxsize=8)
def radius(size: int) -> NDArray[np.float32]:
    """(size, size) distance of each pixel from the middle of the crop, in halves of the width (corner: about 1.41)."""
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    return np.hypot(axis[:, None], axis[None, :]).astype(np.float32)


@lru_cache(maxsize=8)
def ring_weights(size: int, edges: tuple[float, ...] = RING_EDGES) -> NDArray[np.float64]:
    """(size * size, rings) weights of 1 / pixel count: planes @ weights is the mean over each ring between `edges`."""
    index = np.digitize(radius(size).ravel(), edges[1:-1])
    weights = np.zeros((size * size, len(edges) - 1))
    weights[np.arange(size * size), index] = 1
    return np.asarray(weights / weights.sum(axis=0))


@lru_cache(maxsize=8)
def outside(size: int) -> NDArray[np.intp]:
    """Flat indices of every third pixel outside 0.8 of the half width: mostly healthy skin around the lesion."""
    return np.flatnonzero(radius(size).ravel() > 0.8)[::3]


def differences(planes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Change down and to the right of (crops, size, size) planes, per two pixels; 0 at the crop's edge."""
    down, right = np.zeros_like(planes), np.zeros_like(planes)
    np.subtract(planes[:, 2:], planes[:, :-2], out=down[:, 1:-1])
    np.subtract(planes[:, :, 2:], planes[:, :, :-2], out=right[:, :, 1:-1])
    return down, right


def halved(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean over 2 × 2 pixels of (..., size, size) planes of even size."""
    rows = planes[..., ::2, :] + planes[..., 1::2, :]
    half: NDArray[np.float32] = rows[..., ::2] + rows[..., 1::2]
    half *= 0.25
    return half


def smoothed(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean over 3 × 3 pixels of (..., size, size) planes; the outermost pixels are repeated beyond the edge."""
    framed = np.pad(planes, [(0, 0)] * (planes.ndim - 2) + [(1, 1), (1, 1)], mode="edge")
    rows = framed[..., :-2, :] + framed[..., 1:-1, :]
    rows += framed[..., 2:, :]
    smooth: NDArray[np.float32] = rows[..., :-2] + rows[..., 1:-1]
    smooth += rows[..., 2:]
    smooth *= 1 / 9
    return smooth
