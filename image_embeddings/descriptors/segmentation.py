"""Which pixels of a crop are lesion: colour distance from the surrounding skin, cut by Otsu's threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from image_embeddings.descriptors.colour import Floats
from image_embeddings.descriptors.grid import outside, radius

_BINS = 64
# Connects a pixel to its neighbours in the same crop, never to another crop of the batch.
_IN_PLANE = np.zeros((3, 3, 3), bool)
_IN_PLANE[1] = ndimage.generate_binary_structure(2, 1)


@dataclass(frozen=True)
class Lesion:
    """A batch of segmented crops.

    Attributes:
        mask: (crops, size, size) bool, one connected lesion without holes per crop, never empty.
        skin: (3, crops) median L*, a*, b* of the skin around the lesion.
        distance: (crops, size, size) smoothed colour distance (CIE 1976 ΔE) from that skin.
        threshold: (crops,) the ΔE above which a pixel counts as lesion.
    """

    mask: NDArray[np.bool_]
    skin: Floats
    distance: Floats
    threshold: Floats


def segment(planes: Floats) -> Lesion:
    """Segment each crop of a batch.

    The skin colour is the median outside 0.8 of the half width; ΔE from it, smoothed, is weighted by a Gaussian about
    the centre (the lesion is what the crop was cut for) and cut at Otsu's threshold (1979); of the connected parts, the
    one with the most weighted ΔE is kept, and its holes are filled.

    Args:
        planes: (3, crops, size, size) L*, a*, b*.
    """
    _, crops, size, _ = planes.shape
    skin = np.median(planes.reshape(3, crops, -1)[:, :, outside(size)], axis=2)
    difference = planes - skin[:, :, None, None]
    distance = np.sqrt(np.einsum("cnij,cnij->nij", difference, difference))
    distance = ndimage.gaussian_filter(distance, (0, size / 64, size / 64), mode="nearest", truncate=2.5)
    weighted = distance * np.exp(-((radius(size) / 0.75) ** 2))
    threshold = _otsu(weighted.reshape(crops, -1))
    mask = _main_part(weighted, weighted > threshold[:, None, None])
    return Lesion(_without_holes(mask), skin, distance, threshold)


def _otsu(values: Floats) -> Floats:
    """Otsu's threshold of each row: the cut with the largest variance between the two classes."""
    crops = len(values)
    top = values.max(axis=1, keepdims=True) + 1e-6
    bins = np.minimum((values / top * _BINS).astype(np.int64), _BINS - 1) + np.arange(crops)[:, None] * _BINS
    histogram = np.bincount(bins.ravel(), minlength=crops * _BINS).reshape(crops, _BINS).astype(np.float64)
    centre = np.arange(_BINS) + 0.5
    below = histogram.cumsum(axis=1)
    moment = (histogram * centre).cumsum(axis=1)
    total, whole = below[:, -1:], moment[:, -1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (whole * below / total - moment) ** 2 / (below * (total - below))
    cut = np.nan_to_num(between[:, :-1], nan=0.0, posinf=0.0).argmax(axis=1) + 1
    return np.asarray(cut / _BINS * top[:, 0], np.float32)


def _main_part(weight: Floats, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected part with the most weight in each crop; a 2 × 2 centre if a crop has none."""
    crops, size, _ = mask.shape
    labels, count = ndimage.label(mask, structure=_IN_PLANE)
    mass = np.bincount(labels.ravel(), weights=weight.ravel(), minlength=count + 1)
    owner = np.full(count + 1, -1)
    crop_of_pixel = np.repeat(np.arange(crops), size * size)
    owner[labels.ravel()] = crop_of_pixel
    owner[0] = -1
    keep = np.zeros(count + 1, bool)
    order = np.lexsort((mass, owner))
    last = np.flatnonzero(np.diff(np.append(owner[order], crops + 1)))
    keep[order[last]] = True
    keep[0] = False
    chosen: NDArray[np.bool_] = keep[labels]
    empty = ~chosen.any(axis=(1, 2))
    middle = slice(size // 2 - 1, size // 2 + 1)
    chosen[empty, middle, middle] = True
    return chosen


def _without_holes(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill whatever cannot be reached from the border of the crop."""
    framed = np.pad(~mask, ((0, 0), (1, 1), (1, 1)), constant_values=True)
    labels, count = ndimage.label(framed, structure=_IN_PLANE)
    reached = np.zeros(count + 1, bool)
    reached[labels[:, 0, 0]] = True
    filled: NDArray[np.bool_] = ~reached[labels[:, 1:-1, 1:-1]]
    return filled
