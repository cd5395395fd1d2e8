"""Contrast-limited adaptive histogram equalisation (Zuiderveld, 1994) of a crop's lightness."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cohort.stores.protocol import Crop


def clahe(pixels: NDArray[np.uint8], *, tiles: int = 8, limit: float = 2.0) -> NDArray[np.uint8]:
    """Equalise the luma in tiles and blend the tiles' maps bilinearly; chroma is kept.

    Args:
        pixels: (height, width, 3) uint8 sRGB.
        tiles: Tiles along each side.
        limit: Highest count of a bin, in multiples of the mean count; the excess is spread over all bins.

    Returns:
        (height, width, 3) uint8.
    """
    luma, blue, red = (np.asarray(band) for band in Image.fromarray(pixels).convert("YCbCr").split())
    equalised = Image.fromarray(_equalised(luma, tiles, limit))
    merged = Image.merge("YCbCr", (equalised, Image.fromarray(blue), Image.fromarray(red)))
    return np.asarray(merged.convert("RGB"))


def equalise(crop: Crop) -> Crop:
    """The crop after `clahe`."""
    return replace(crop, pixels=clahe(crop.pixels))


def _equalised(luma: NDArray[np.uint8], tiles: int, limit: float) -> NDArray[np.uint8]:
    height, width = luma.shape
    row_tile, row_share = _weights(height, tiles)
    column_tile, column_share = _weights(width, tiles)
    maps = _maps(luma, tiles, limit)
    value = np.zeros(luma.shape)
    for down in (0, 1):
        for across in (0, 1):
            row = np.clip(row_tile + down, 0, tiles - 1)[:, None]
            column = np.clip(column_tile + across, 0, tiles - 1)[None, :]
            share = np.abs(1 - down - row_share)[:, None] * np.abs(1 - across - column_share)[None, :]
            value += share * maps[row, column, luma]
    return np.rint(value).astype(np.uint8)


def _weights(length: int, tiles: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The tile whose centre lies before each pixel, and how far the pixel is on the way to the next one (0 to 1)."""
    place = (np.arange(length) + 0.5) / length * tiles - 0.5
    before = np.floor(place)
    return before.astype(np.intp), place - before


def _maps(luma: NDArray[np.uint8], tiles: int, limit: float) -> NDArray[np.float64]:
    """(tiles, tiles, 256) cumulative clipped histogram of each tile, scaled to 0 to 255."""
    height, width = luma.shape
    row = np.minimum(np.arange(height) * tiles // height, tiles - 1)
    column = np.minimum(np.arange(width) * tiles // width, tiles - 1)
    bins = (row[:, None] * tiles + column[None, :]) * 256 + luma
    counts = np.bincount(bins.ravel(), minlength=tiles * tiles * 256).reshape(tiles, tiles, 256).astype(np.float64)
    total = np.maximum(counts.sum(2, keepdims=True), 1)
    top = np.maximum(limit * total / 256, 1)
    excess = np.maximum(counts - top, 0).sum(2, keepdims=True)
    counts = np.minimum(counts, top) + excess / 256
    return np.asarray(counts.cumsum(2) / total * 255)
