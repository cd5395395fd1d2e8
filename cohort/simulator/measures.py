"""From latent scores to the vendor's measurements, with the exact relations between the columns."""

from __future__ import annotations

import numpy as np

from cohort.simulator.calibration import CONTRAST, RINGS, SIZE, SPREAD, Array, WorldCalibration
from cohort.simulator.lesions import SimulatedLesions

Columns = dict[str, Array]
_NOISES = 6


def measure(lesions: SimulatedLesions, calibration: WorldCalibration, rng: np.random.Generator) -> Columns:
    """The 29 measurements of lesions, each (n,), without place and age.

    Exact: C = hypot(A, B) and H = atan2(B, A) in degrees, inside and outside; delta = inside - outside;
    area_perim_ratio = perimeter² / area. The other relations hold with the published residuals.
    """
    out = {name: calibration.curves[name](lesions.score[:, i]) for i, name in enumerate(calibration.latents)}
    for bit, part, name in ((1, calibration.small, SIZE), (2, calibration.faint, CONTRAST)):
        rows = np.flatnonzero(lesions.stratum & bit)
        out[name][rows] = part.curve(lesions.score[rows, part.latent])
    flat = lesions.score[:, calibration.at(SPREAD)] <= calibration.zero[0]
    out[SPREAD] = np.where(flat, 0.0, out[SPREAD])
    out[RINGS] = np.where(flat | (lesions.score[:, calibration.at(RINGS)] <= calibration.zero[1]), 0.0, out[RINGS])
    out = {name: significant(column) for name, column in out.items()}
    noise = np.clip(rng.standard_normal((_NOISES, len(flat))), -3.5, 3.5)
    _shape(out, noise[:3])
    _colour_index(out, noise[3])
    _contrast(out, noise[4:])
    edges = np.cumsum(calibration.facts["angle_shares"])
    step = np.searchsorted(edges[:-1], rng.random(len(flat)), side="right")
    out["tbp_lv_symm_2axis_angle"] = np.asarray(5 * step, dtype=np.float64)
    return out


def significant(value: Array, digits: int = 7) -> Array:
    """Round to significant decimal digits, as most of the official numbers are: the text written is the number."""
    magnitude = np.floor(np.log10(np.where(value == 0.0, 1.0, np.abs(value))))
    factor = 10.0 ** np.clip(digits - 1 - magnitude, 0, 22)
    return np.asarray(np.round(value * factor) / factor)


def _shape(out: Columns, noise: Array) -> None:
    """Minor axis from eccentricity, area from the axes, perimeter from the area, border from jaggedness and asymmetry.

    Published fits: minor / size from eccentricity, sd 0.04; norm_border, sd 0.010, at most 10.
    """
    size = np.round(out[SIZE], 2)
    aspect = 0.074 + 0.917 * np.sqrt(1.0 - np.square(out["tbp_lv_eccentricity"])) + 0.035 * noise[0]
    minor = significant(size * np.clip(aspect, 0.15, 1.0))
    area = significant(np.pi / 4.0 * size * minor * out.pop("fill"))
    perimeter = significant(np.sqrt(out["tbp_lv_area_perim_ratio"] * area))
    ratio = significant(np.square(perimeter) / area)
    border = -2.2666 + 0.18074 * ratio + 7.4305 * out["tbp_lv_symm_2axis"] + 0.01 * noise[1]
    out[SIZE], out["tbp_lv_minorAxisMM"], out["tbp_lv_areaMM2"] = size, minor, area
    out["tbp_lv_perimeterMM"], out["tbp_lv_area_perim_ratio"] = perimeter, ratio
    out["tbp_lv_norm_border"] = significant(np.clip(border, 0.4 + 0.05 * noise[2], 10.0))


def _colour_index(out: Columns, noise: Array) -> None:
    """Published fit: norm_color = 0.036 + 1.4346 spread + 1.4957 rings, sd 0.05, at most 10, 0 for a flat lesion."""
    index = 0.036 + 1.4346 * out[SPREAD] + 1.4957 * out[RINGS] + 0.05 * noise
    out["tbp_lv_norm_color"] = significant(np.where(out[SPREAD] == 0.0, 0.0, np.clip(index, 0.0, 10.0)))


def _contrast(out: Columns, noise: Array) -> None:
    """Colours inside, from the skin's and the contrasts.

    Published fits: deltaLBnorm / deltaLB = exp(2.4548) Lext^-0.684, sd 0.024; deltaLB / hypot(deltaL, deltaB) between
    1.007 and 1.062, mean 1.022. A yellow-blue contrast larger than the whole allows is cut, never the darkness.
    """
    skin = {axis: out[f"tbp_lv_{axis}ext"] for axis in "ABL"}
    both = significant(out[CONTRAST] * np.exp(0.024 * noise[0] - 2.4548) * skin["L"] ** 0.684)
    reach = both / (1.006 + 0.0125 * np.exp(0.6 * noise[1])).clip(max=1.08)
    yellow = np.clip(out["tbp_lv_deltaB"], -0.84 * reach, 0.84 * reach)
    dark = np.sqrt(np.square(reach) - np.square(yellow))
    out["tbp_lv_deltaLB"] = both
    for axis, delta in (("A", out["tbp_lv_deltaA"]), ("B", yellow), ("L", -dark)):
        inside = significant(skin[axis] + delta)
        out[f"tbp_lv_{axis}"] = np.maximum(inside, 4.0) if axis == "L" else inside
        out[f"tbp_lv_delta{axis}"] = significant(out[f"tbp_lv_{axis}"] - skin[axis])
    for side in ("", "ext"):
        red, blue = out[f"tbp_lv_A{side}"], out[f"tbp_lv_B{side}"]
        out[f"tbp_lv_C{side}"] = significant(np.hypot(red, blue))
        out[f"tbp_lv_H{side}"] = significant(np.degrees(np.arctan2(blue, red)))
