"""A batch of masks as one flat list of pixels, so that per-crop statistics are a few bincounts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from image_embeddings.descriptors.colour import Floats

Doubles = NDArray[np.float64]


class Region:
    """The pixels of a batch of masks.

    Attributes:
        crop: (pixels,) which crop each pixel belongs to, ascending.
        row: (pixels,) its row.
        column: (pixels,) its column.
        count: (crops,) pixels of each crop; at least 1.
    """

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self.crops, self.size, _ = mask.shape
        flat = np.flatnonzero(mask.ravel())
        self.crop, place = np.divmod(flat, self.size * self.size)
        self.row, self.column = np.divmod(place, self.size)
        self._flat = flat
        self.count = np.maximum(np.bincount(self.crop, minlength=self.crops), 1)

    def values(self, plane: Floats) -> Floats:
        """(pixels,) values of a (crops, size, size) plane inside the masks."""
        return plane.reshape(-1)[self._flat]

    def mean(self, values: NDArray[np.generic]) -> Doubles:
        """(crops,) mean of (pixels,) values; 0 for an empty mask."""
        return np.bincount(self.crop, weights=values, minlength=self.crops) / self.count

    def std(self, values: Floats, mean: Doubles) -> Doubles:
        """(crops,) standard deviation (population) of (pixels,) values about their `mean`."""
        return np.sqrt(self.mean((values - mean[self.crop]) ** 2))

    def quantiles(self, values: Floats, levels: tuple[float, ...]) -> list[Doubles]:
        """(crops,) nearest-rank quantiles of (pixels,) values, one array per level."""
        # A crop's pixels are contiguous, and sorting many short pieces is faster than one long list by two keys.
        ends = np.bincount(self.crop, minlength=self.crops).cumsum()
        ordered = np.concatenate([np.sort(piece) for piece in np.split(values, ends[:-1])])
        start = np.concatenate([[0], ends[:-1]])
        last = max(len(ordered) - 1, 0)
        return [
            ordered[np.minimum(start + np.floor(level * self.count).astype(np.intp), last)].astype(np.float64)
            for level in levels
        ]
