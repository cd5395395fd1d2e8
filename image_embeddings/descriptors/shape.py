"""Size, outline and asymmetry of the segmented lesion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from image_embeddings.descriptors.colour import Floats
from image_embeddings.descriptors.grid import FIELD_MM
from image_embeddings.descriptors.region import Doubles, Region
from image_embeddings.descriptors.segmentation import Lesion

_SECTORS = 16


def shape_numbers(lesion: Lesion, region: Region, planes: Floats) -> dict[str, Doubles]:
    """Outline, size in mm and asymmetry about the principal axes; one value per crop and name.

    Args:
        lesion: The segmented batch.
        region: The pixels of `lesion.mask`.
        planes: (3, crops, size, size) L*, a*, b* it was segmented from.
    """
    y, x = region.mean(region.row), region.mean(region.column)
    dy, dx = region.row - y[region.crop], region.column - x[region.crop]
    major, minor, angle = _axes(region.mean(dy * dy), region.mean(dx * dx), region.mean(dy * dx))
    perimeter = _perimeter(lesion.mask)
    pixel, half = FIELD_MM / region.size, (region.size - 1) / 2
    return {
        "shape_area_mm2": region.count * pixel**2,
        "shape_diameter_mm": 4 * np.sqrt(major) * pixel,
        "shape_minor_axis_mm": 4 * np.sqrt(minor) * pixel,
        "shape_eccentricity": np.sqrt(np.clip(1 - minor / major, 0, 1)),
        "shape_perimeter_mm": perimeter * pixel,
        "shape_compactness": perimeter**2 / (4 * np.pi * region.count),
        "shape_centre_offset_mm": np.hypot(y - half, x - half) * pixel,
        "shape_touches_edge": _edge_pixels(lesion.mask) / np.sqrt(region.count),
        "shape_ellipse_fill": region.count / (4 * np.pi * np.sqrt(major * minor)),
        **_asymmetry(lesion.mask, region, planes, angle),
        **_outline(region, dy, dx),
    }


def _axes(yy: Doubles, xx: Doubles, yx: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """Variances along and across the longest axis, and that axis's angle from x; a pixel's own extent adds 1/12."""
    yy, xx = yy + 1 / 12, xx + 1 / 12
    middle, spread = (yy + xx) / 2, np.hypot((xx - yy) / 2, yx)
    return middle + spread, np.maximum(middle - spread, 1 / 12), 0.5 * np.arctan2(2 * yx, xx - yy)


def _perimeter(mask: NDArray[np.bool_]) -> Doubles:
    """Crofton's estimate from the boundary crossings in four directions, in pixels."""
    framed = np.pad(mask, ((0, 0), (1, 1), (1, 1)))
    straight = (framed[:, 1:] != framed[:, :-1]).sum((1, 2)) + (framed[:, :, 1:] != framed[:, :, :-1]).sum((1, 2))
    falling = (framed[:, 1:, 1:] != framed[:, :-1, :-1]).sum((1, 2))
    rising = (framed[:, 1:, :-1] != framed[:, :-1, 1:]).sum((1, 2))
    return np.asarray(np.pi / 8 * (straight + (falling + rising) / np.sqrt(2)))


def _edge_pixels(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    return np.asarray(mask[:, 0].sum(1) + mask[:, -1].sum(1) + mask[:, :, 0].sum(1) + mask[:, :, -1].sum(1))


def _asymmetry(mask: NDArray[np.bool_], region: Region, planes: Floats, angle: Doubles) -> dict[str, Doubles]:
    """Share of the lesion whose mirror image about each axis is not lesion, and ΔE between a pixel and its mirror."""
    numbers: dict[str, Doubles] = {}
    own = planes[:, region.crop, region.row, region.column]
    y, x = region.mean(region.row)[region.crop], region.mean(region.column)[region.crop]
    dy, dx = region.row - y, region.column - x
    for name, turn in (("major", 0.0), ("minor", np.pi / 2)):
        cosine, sine = np.cos(2 * (angle + turn))[region.crop], np.sin(2 * (angle + turn))[region.crop]
        row = np.rint(y + sine * dx - cosine * dy).astype(np.intp)
        column = np.rint(x + cosine * dx + sine * dy).astype(np.intp)
        inside = (row >= 0) & (row < region.size) & (column >= 0) & (column < region.size)
        row, column = np.clip(row, 0, region.size - 1), np.clip(column, 0, region.size - 1)
        numbers[f"shape_asymmetry_{name}"] = region.mean(~(inside & mask[region.crop, row, column]))
        mirrored = planes[:, region.crop, row, column]
        numbers[f"colour_asymmetry_{name}"] = region.mean(np.sqrt(((own - mirrored) ** 2).sum(0)))
    return numbers


def _outline(region: Region, dy: Doubles, dx: Doubles) -> dict[str, Doubles]:
    """How the lesion's reach varies with direction: largest radius in each of 16 sectors, relative to their mean."""
    sector = ((np.arctan2(dy, dx) / (2 * np.pi) + 0.5) * _SECTORS).astype(np.intp) % _SECTORS
    reach = np.zeros(region.crops * _SECTORS)
    np.maximum.at(reach, region.crop * _SECTORS + sector, np.hypot(dy, dx))
    reach = reach.reshape(region.crops, _SECTORS)
    mean = reach.mean(1) + 0.5
    return {
        "shape_reach_cv": reach.std(1) / mean,
        "shape_reach_jump": np.abs(np.diff(reach, axis=1, append=reach[:, :1])).mean(1) / mean,
        "shape_reach_max": reach.max(1) / mean,
    }
