"""Colour in rings about the crop's centre: needs no segmentation, so it also describes lesions that have no edge."""

from __future__ import annotations

import numpy as np

from image_embeddings.descriptors.colour import Floats
from image_embeddings.descriptors.grid import AXES, halved, ring_weights
from image_embeddings.descriptors.region import Doubles

_PERCENT = (2, 25, 50, 75, 98)


def ring_numbers(planes: Floats) -> dict[str, Doubles]:
    """Mean, spread and differences between rings of L*, a*, b*, and moments and quantiles of the whole crop.

    Args:
        planes: (3, crops, size, size) L*, a*, b*.
    """
    _, crops, size, _ = planes.shape
    weights = ring_weights(size)
    numbers: dict[str, Doubles] = {}
    for axis, plane in zip(AXES, planes.reshape(3, crops, -1), strict=True):
        # In double precision: the spread of an even ring is a difference of two large squares.
        exact = plane.astype(np.float64)
        mean = exact @ weights
        spread = np.sqrt(np.maximum((exact**2) @ weights - mean**2, 0))
        outermost = mean[:, -1]
        for ring in range(mean.shape[1]):
            numbers[f"ring{ring}_{axis}_mean"] = mean[:, ring]
            numbers[f"ring{ring}_{axis}_std"] = spread[:, ring]
            if ring < mean.shape[1] - 1:
                numbers[f"ring{ring}_{axis}_contrast"] = mean[:, ring] - outermost
    return numbers | _quantiles(planes)


def _quantiles(planes: Floats) -> dict[str, Doubles]:
    """Quantiles of the whole crop at half the resolution."""
    flat = halved(planes).reshape(*planes.shape[:2], -1)
    ranks = [int(level / 100 * (flat.shape[2] - 1)) for level in _PERCENT]
    flat.sort(axis=2)
    return {
        f"crop_{axis}_p{percent:02}": plane[:, rank].astype(np.float64)
        for axis, plane in zip(AXES, flat, strict=True)
        for percent, rank in zip(_PERCENT, ranks, strict=True)
    }
