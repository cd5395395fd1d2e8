"""Gradients outwards and around: a round, even lesion changes only outwards; streaks and lobes change around too."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from image_embeddings.descriptors.colour import Floats
from image_embeddings.descriptors.grid import RING_EDGES, radius, ring_weights, smoothed
from image_embeddings.descriptors.region import Doubles

AXES = ("l", "a", "b")
# Keeps the ratio of two small gradients near 1: half of what the last bit of a channel makes of an even crop.
_FLOOR = 0.05


def gradient_numbers(planes: Floats) -> dict[str, Doubles]:
    """How each of L*, a*, b* changes in six rings about the centre; one value per crop and name.

    `outwards` is the mean gradient away from the centre, per two pixels. `around` is the log of the ratio of two root
    mean squares: of the gradient around the centre, and of the one away from it.

    Args:
        planes: (3, crops, size, size) L*, a*, b*.
    """
    _, crops, size, _ = planes.shape
    right, down = _directions(size)
    weights = ring_weights(size).astype(np.float32)
    smooth = smoothed(planes)
    numbers: dict[str, Doubles] = {}
    for axis, plane in zip(AXES, smooth, strict=True):
        dy, dx = np.zeros_like(plane), np.zeros_like(plane)
        np.subtract(plane[:, 2:], plane[:, :-2], out=dy[:, 1:-1])
        np.subtract(plane[:, :, 2:], plane[:, :, :-2], out=dx[:, :, 1:-1])
        outwards, around = dx * right + dy * down, dy * right - dx * down
        mean, along, across = (
            each.reshape(crops, -1) @ weights for each in (outwards, outwards * outwards, around * around)
        )
        for ring in range(len(RING_EDGES) - 1):
            numbers[f"gradient{ring}_{axis}_outwards"] = mean[:, ring].astype(np.float64)
            ratio = (np.sqrt(across[:, ring]) + _FLOOR) / (np.sqrt(along[:, ring]) + _FLOOR)
            numbers[f"gradient{ring}_{axis}_around"] = np.log(ratio).astype(np.float64)
    return numbers


@lru_cache(maxsize=8)
def _directions(size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(size, size) the unit vector away from the centre: to the right, and down."""
    axis = ((np.arange(size) + 0.5) / size * 2 - 1).astype(np.float32)
    distance = radius(size)
    return axis[None, :] / distance, axis[:, None] / distance
