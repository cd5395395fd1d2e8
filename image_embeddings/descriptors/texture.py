"""Texture: energy by scale, edges and their common direction (hair, wrinkles), local binary patterns."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from image_embeddings.descriptors.colour import Floats
from image_embeddings.descriptors.grid import differences, halved, radius, ring_weights, smoothed
from image_embeddings.descriptors.region import Doubles

_ZONES, _ZONE_EDGES = ("centre", "middle", "rim"), (0.0, 0.3, 0.65, 1.5)
_PATTERNS = 10


def texture_numbers(luma: NDArray[np.uint8], planes: Floats) -> dict[str, Doubles]:
    """Texture in three zones about the centre; one value per crop and name.

    Args:
        luma: (crops, size, size) uint8 lightness at the finest resolution used.
        planes: (3, crops, size', size') L*, a*, b*; only colour is used.
    """
    lightness = luma.astype(np.float32) * np.float32(100 / 255)
    numbers = _band_energies("l", lightness, 4)
    for axis, plane in zip("ab", planes[1:], strict=True):
        numbers |= _band_energies(axis, plane, 3)
    coarse = halved(lightness)
    return numbers | _edges(coarse) | _patterns("fine", luma) | _patterns("coarse", (coarse * 2.55).astype(np.uint8))


def _by_zone(name: str, plane: Floats) -> dict[str, Doubles]:
    weights = ring_weights(plane.shape[1], _ZONE_EDGES).astype(np.float32)
    means = (plane.reshape(len(plane), -1) @ weights).astype(np.float64)
    return {f"{name}_{zone}": means[:, place] for place, zone in enumerate(_ZONES)}


def _band_energies(axis: str, plane: Floats, bands: int) -> dict[str, Doubles]:
    """Log of the mean absolute difference between a plane and its smoothing, halving the resolution for each band."""
    numbers: dict[str, Doubles] = {}
    for band in range(bands):
        smooth = smoothed(plane)
        energy = _by_zone(f"texture_{axis}_band{band}", np.abs(plane - smooth))
        numbers |= {name: np.log(value + 0.05) for name, value in energy.items()}
        plane = halved(smooth)
    return numbers


def _edges(plane: Floats) -> dict[str, Doubles]:
    """Mean gradient of L*, and the coherence of its direction (1 parallel lines, 0 none) from the structure tensor."""
    gy, gx = differences(plane)
    yy, xx, yx = (_by_zone("", product) for product in (gy * gy, gx * gx, gy * gx))
    numbers = _by_zone("texture_gradient", np.sqrt(gy * gy + gx * gx))
    for zone in yy:
        energy = yy[zone] + xx[zone] + 1e-6
        numbers[f"texture_coherence{zone}"] = np.hypot(xx[zone] - yy[zone], 2 * yx[zone]) / energy
    return numbers


def _patterns(name: str, plane: NDArray[np.uint8]) -> dict[str, Doubles]:
    """Rotation-invariant uniform local binary patterns of 8 neighbours (Ojala et al., 2002), centre and rest."""
    size = plane.shape[1]
    middle = plane[:, 1:-1, 1:-1]
    around = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    code = np.zeros(middle.shape, np.uint8)
    for bit, (y, x) in enumerate(around):
        higher = plane[:, y : y + size - 2, x : x + size - 2] > middle
        code |= higher.view(np.uint8) << np.uint8(bit)
    classes = (_PATTERN_OF.take(code) + _first_class(size)).reshape(len(plane), -1)
    histogram = np.stack([np.bincount(row, minlength=2 * _PATTERNS) for row in classes])
    numbers: dict[str, Doubles] = {}
    for zone, counts in zip(("centre", "around"), (histogram[:, :_PATTERNS], histogram[:, _PATTERNS:]), strict=True):
        shares = counts / counts.sum(1, keepdims=True)
        numbers |= {f"lbp_{name}_{zone}_{pattern}": shares[:, pattern] for pattern in range(_PATTERNS)}
    return numbers


@lru_cache(maxsize=8)
def _first_class(size: int) -> NDArray[np.uint8]:
    """(size - 2, size - 2) 0 at the centre; elsewhere, where patterns are counted apart, the number of patterns."""
    return (_PATTERNS * (radius(size)[1:-1, 1:-1] >= 0.4)).astype(np.uint8)


def _pattern_table() -> NDArray[np.uint8]:
    """The pattern of each of the 256 neighbourhoods: how many are higher, if they are contiguous; else the last."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = (bits != np.roll(bits, 1, axis=1)).sum(1)
    return np.where(changes <= 2, bits.sum(1), _PATTERNS - 1).astype(np.uint8)


_PATTERN_OF = _pattern_table()
