"""Gradients outwards and around: a round, even lesion changes only outwards; streaks and lobes change around too."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from image_embeddings.descriptors.colour import Floats
from image_embeddings.descriptors.grid import AXES, RING_EDGES, differences, halved, radius, ring_weights, smoothed
from image_embeddings.descriptors.region import Doubles

# Keeps the ratio of two small gradients near 1: half of what the last bit of a channel makes in an even crop.
_FLOOR = 0.05


def gradient_numbers(planes: Floats) -> dict[str, Doubles]:
    """How each of L*, a*, b* changes in six rings about the centre; one value per crop and name.

    `outwards` is the mean gradient away from the centre, per two pixels of half the resolution. `around` is the log of
    the ratio of two root mean squares: of the gradient around the centre, and of the one away from it; at half the
    resolution (`fine`) and at a quarter (`coarse`).

    Args:
        planes: (3, crops, size, size) L*, a*, b*.
    """
    half = halved(planes)
    numbers: dict[str, Doubles] = {}
    for scale, view in (("fine", smoothed(half)), ("coarse", halved(half))):
        _, crops, size, _ = view.shape
        weights = ring_weights(size).astype(np.float32)
        for axis, plane in zip(AXES, view, strict=True):
            outwards, around = _along_and_across(plane)
            mean, along, across = (
                each.reshape(crops, -1) @ weights for each in (outwards, outwards * outwards, around * around)
            )
            ratio = np.log((np.sqrt(across) + _FLOOR) / (np.sqrt(along) + _FLOOR)).astype(np.float64)
            for ring in range(len(RING_EDGES) - 1):
                numbers[f"gradient{ring}_{axis}_around_{scale}"] = ratio[:, ring]
                if scale == "fine":
                    numbers[f"gradient{ring}_{axis}_outwards"] = mean[:, ring].astype(np.float64)
    return numbers


def _along_and_across(plane: Floats) -> tuple[Floats, Floats]:
    """(crops, size, size) gradient away from the centre and around it, per two pixels; 0 at the crop's edge."""
    (right, down), (dy, dx) = _directions(plane.shape[1]), differences(plane)
    return dx * right + dy * down, dy * right - dx * down


@lru_cache(maxsize=8)
def _directions(size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(size, size) the unit vector away from the centre: to the right, and down."""
    axis = ((np.arange(size) + 0.5) / size * 2 - 1).astype(np.float32)
    distance = radius(size)
    return axis[None, :] / distance, axis[:, None] / distance
