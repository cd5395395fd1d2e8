"""Colour inside the lesion, around it, the step between, and how sharp that step is."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cohort.skin_tone import individual_typology_angle
from image_embeddings.descriptors.colour import Floats, chroma, hue
from image_embeddings.descriptors.grid import AXES
from image_embeddings.descriptors.region import Doubles, Region
from image_embeddings.descriptors.segmentation import Lesion

# Colours that dermatologists count in a pigmented lesion (ABCD rule), as differences from the surrounding skin:
# name -> (lowest, highest) of dL*, da*, db*.
_FAR = 200.0
NAMED_COLOURS: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "white": ((6, _FAR), (-_FAR, 2), (-_FAR, 2)),
    "red": ((-18, 6), (5, _FAR), (-_FAR, 4)),
    "light_brown": ((-18, -5), (-_FAR, _FAR), (0, _FAR)),
    "dark_brown": ((-_FAR, -18), (0, _FAR), (-8, _FAR)),
    "blue_grey": ((-_FAR, -5), (-_FAR, 2), (-_FAR, -5)),
    "black": ((-_FAR, -28), (-_FAR, 2), (-_FAR, -2)),
}


def inside_numbers(lesion: Lesion, region: Region, planes: Floats) -> dict[str, Doubles]:
    """Colour statistics of the lesion and of the skin around it, one value per crop and name.

    Args:
        lesion: The segmented batch.
        region: The pixels of `lesion.mask`.
        planes: (3, crops, size, size) L*, a*, b*.
    """
    numbers: dict[str, Doubles] = {"segment_threshold": lesion.threshold.astype(np.float64)}
    means, values = [], []
    for axis, plane, skin in zip(AXES, planes, lesion.skin, strict=True):
        value = region.values(plane)
        mean = region.mean(value)
        low, middle, high = region.quantiles(value, (0.05, 0.5, 0.95))
        numbers |= {
            f"skin_{axis}": skin.astype(np.float64),
            f"inside_{axis}_mean": mean,
            f"inside_{axis}_std": region.std(value, mean),
            f"inside_{axis}_low": low - skin,
            f"inside_{axis}_median": middle - skin,
            f"inside_{axis}_high": high - skin,
            f"step_{axis}": mean - skin,
        }
        means.append(mean)
        values.append(value)
    numbers |= _derived(lesion, means) | _named(lesion, region, values) | _spread(region, values, means)
    return numbers | _border(lesion, planes)


def _derived(lesion: Lesion, means: list[Doubles]) -> dict[str, Doubles]:
    skin_l, skin_a, skin_b = lesion.skin
    inside = [mean.astype(np.float32) for mean in means]
    numbers = {
        "skin_ita": individual_typology_angle(skin_l, skin_b),
        "skin_hue": hue(skin_a, skin_b),
        "skin_chroma": chroma(skin_a, skin_b),
        "inside_ita": individual_typology_angle(inside[0], inside[2]),
        "inside_hue": hue(inside[1], inside[2]),
        "inside_chroma": chroma(inside[1], inside[2]),
    }
    steps = np.stack(means) - lesion.skin
    return {name: value.astype(np.float64) for name, value in numbers.items()} | {
        "step_delta_e": np.sqrt((steps**2).sum(0)),
        "step_hue": (numbers["inside_hue"] - numbers["skin_hue"]).astype(np.float64),
    }


def _named(lesion: Lesion, region: Region, values: list[Floats]) -> dict[str, Doubles]:
    """Share of the lesion in each named colour, and how many colours hold at least 5 % of it."""
    steps = [value - skin[region.crop] for value, skin in zip(values, lesion.skin, strict=True)]
    shares = {
        f"colour_{name}": region.mean(
            np.logical_and.reduce([(step >= low) & (step < high) for step, (low, high) in zip(steps, box, strict=True)])
        )
        for name, box in NAMED_COLOURS.items()
    }
    count = np.sum([share >= 0.05 for share in shares.values()], axis=0).astype(np.float64)
    return shares | {"colour_count": count}


def _spread(region: Region, values: list[Floats], means: list[Doubles]) -> dict[str, Doubles]:
    """Mean ΔE from the lesion's mean colour, and the gradient of lightness and redness from its centre to its rim."""
    offsets = [value - mean[region.crop] for value, mean in zip(values, means, strict=True)]
    numbers = {"inside_delta_e_std": region.mean(np.sqrt(np.sum(np.square(offsets), axis=0)))}
    y, x = region.mean(region.row), region.mean(region.column)
    distance = np.hypot(region.row - y[region.crop], region.column - x[region.crop])
    centred = distance - region.mean(distance)[region.crop]
    variance = region.mean(centred**2) + 0.25
    for axis, offset in zip(AXES, offsets, strict=True):
        numbers[f"inside_{axis}_radial"] = region.mean(offset * centred) / np.sqrt(variance)
        toward_x = region.mean(offset * (region.column - x[region.crop]))
        toward_y = region.mean(offset * (region.row - y[region.crop]))
        numbers[f"inside_{axis}_slant"] = np.hypot(toward_x, toward_y) / np.sqrt(variance)
    return numbers


def _border(lesion: Lesion, planes: Floats) -> dict[str, Doubles]:
    """Colour just inside and just outside the outline (two pixels each), and the step's mean and spread along it."""
    mask, reach = lesion.mask, (1, 5, 5)
    inner = Region(mask & ~ndimage.minimum_filter(mask, reach, mode="constant"))
    outer = Region(ndimage.maximum_filter(mask, reach, mode="constant") & ~mask)
    numbers: dict[str, Doubles] = {}
    for axis, plane, skin in zip(AXES, planes, lesion.skin, strict=True):
        within, beyond = inner.values(plane), outer.values(plane)
        mean_within, mean_beyond = inner.mean(within), outer.mean(beyond)
        numbers[f"border_{axis}_step"] = mean_within - mean_beyond
        numbers[f"border_{axis}_halo"] = mean_beyond - skin
        numbers[f"border_{axis}_std"] = inner.std(within, mean_within)
    return numbers
