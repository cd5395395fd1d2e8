"""From latent scores to the vendor's measurements, with the exact relations between the columns."""

from __future__ import annotations

import numpy as np

from cohort.simulator.calibration import Array, Calibration, Curve
from cohort.simulator.latents import CONTRAST, SIZE, Latents

Columns = dict[str, Array]


def measure(latents: Latents, calibration: Calibration, rng: np.random.Generator) -> Columns:
    """Numeric columns of lesions, without place and age.

    Exact: C = hypot(A, B), H = atan2(B, A) in degrees, the same outside, delta = inside - outside,
    area_perim_ratio = perimeter² / area. The others within the published residuals.
    """
    out = {name: calibration.curves[name](latents.score[:, i]) for i, name in enumerate(calibration.latents)}
    for bit, key, name, knots in ((1, "small", SIZE, "mm"), (2, "faint", CONTRAST, "value")):
        rows = np.flatnonzero(latents.stratum & bit)
        facts = calibration.raw[key]
        curve = Curve.through(facts["z"], facts[knots])
        out[name][rows] = curve(latents.score[rows, calibration.latents.index(name)])
    out[SIZE] = np.asarray(np.round(out[SIZE], 2), dtype=np.float64)
    noise = rng.standard_normal((6, len(latents.score)))
    _shape(out, noise)
    _colours(out, noise)
    out["tbp_lv_symm_2axis_angle"] = np.asarray(5 * rng.integers(0, 36, len(latents.score)), dtype=np.float64)
    return out


def _shape(out: Columns, noise: Array) -> None:
    size = out[SIZE]
    round_off = np.clip(out["tbp_lv_eccentricity"] + 0.016 + 0.047 * np.clip(noise[0], -3, 3), 0.0, 0.985)
    out["tbp_lv_minorAxisMM"] = significant(size * np.sqrt(1.0 - np.square(round_off)))
    fill = out.pop("fill")
    out["tbp_lv_areaMM2"] = significant(np.pi / 4.0 * size * out["tbp_lv_minorAxisMM"] * fill)
    out["tbp_lv_perimeterMM"] = significant(np.sqrt(out["tbp_lv_area_perim_ratio"] * out["tbp_lv_areaMM2"]))
    out["tbp_lv_area_perim_ratio"] = np.square(out["tbp_lv_perimeterMM"]) / out["tbp_lv_areaMM2"]
    border = -2.2666 + 0.18074 * out["tbp_lv_area_perim_ratio"] + 7.4305 * out["tbp_lv_symm_2axis"] + 0.01 * noise[1]
    out["tbp_lv_norm_border"] = np.clip(border, 0.2, 10.0)


def _colours(out: Columns, noise: Array) -> None:
    spread, rings = out["tbp_lv_color_std_mean"], out["tbp_lv_radial_color_std_max"]
    rings[spread == 0] = 0.0
    flat = (spread == 0) & (rings == 0)
    tone = 0.036 + 1.4346 * spread + 1.4957 * rings + 0.05 * np.clip(noise[2], -3, 3)
    out["tbp_lv_norm_color"] = np.where(flat, 0.0, np.clip(tone, 0.0, 10.0))
    outside = out["tbp_lv_Lext"]
    contrast = out[CONTRAST] * np.exp(-2.4548 + 0.02 * noise[3]) * outside**0.684
    reach = contrast / np.clip(1.0 + 0.0215 * np.exp(0.5 * noise[4]), 1.006, 1.07)
    yellow = np.clip(out["tbp_lv_deltaB"], -0.84 * reach, 0.84 * reach)
    out["tbp_lv_deltaLB"] = contrast
    for axis, delta in (
        ("A", out["tbp_lv_deltaA"]),
        ("B", yellow),
        ("L", -np.sqrt(np.square(reach) - np.square(yellow))),
    ):
        skin = significant(out[f"tbp_lv_{axis}ext"])
        inside = significant(skin + delta)
        if axis == "L":
            inside = np.maximum(inside, 4.0)
        out[f"tbp_lv_{axis}ext"], out[f"tbp_lv_{axis}"] = skin, inside
        out[f"tbp_lv_delta{axis}"] = inside - skin
    for side in ("", "ext"):
        red, yellow = out[f"tbp_lv_A{side}"], out[f"tbp_lv_B{side}"]
        out[f"tbp_lv_C{side}"] = np.hypot(red, yellow)
        out[f"tbp_lv_H{side}"] = np.degrees(np.arctan2(yellow, red))


def significant(value: Array, digits: int = 7) -> Array:
    """Round to significant decimal digits, so that the written text is the number."""
    size = np.floor(np.log10(np.where(value == 0, 1.0, np.abs(value))))
    power = np.clip(digits - 1 - size, 0, 22)
    factor = 10.0**power
    return np.asarray(np.round(value * factor) / factor, dtype=np.float64)
