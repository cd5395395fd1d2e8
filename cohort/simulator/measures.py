"""From latent scores to the vendor's measurements, with the exact relations between the columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cohort.simulator.calibration import CONTRAST, RINGS, SIZE, SPREAD, Array, WorldCalibration
from cohort.simulator.lesions import SimulatedLesions

Columns = dict[str, Array]
Flags = npt.NDArray[np.bool_]
_NOISES = 4
_PIXEL = 1 / 7.3
"""Millimetres: areas are whole numbers of pixels, perimeters are steps along and across them."""
_DIRECTIONS = {1: 0.17, 2: 0.11, 5: 0.04, 10: 0.03, 1000: 0.65}
"""Squared length of the direction, in whole pixels, that a lesion is measured along, and its share of the lesions."""
_FLOOR = 2.495
_DIAGONAL, _DIAGONAL_SD = 0.415, 0.055
_HALF = 5.0


def measure(lesions: SimulatedLesions, calibration: WorldCalibration, rng: np.random.Generator) -> Columns:
    """The 29 measurements of lesions, each (n,), without place and age.

    Exact, as in the real table: C = hypot(A, B) and H = atan2(B, A) in degrees, inside and outside; delta = inside -
    outside; area_perim_ratio = perimeter² / area; norm_border and norm_color from their parts; lengths and areas
    on the grid of pixels. The other relations hold with the residuals of real rows.
    """
    out = {name: calibration.curves[name](lesions.score[:, i]) for i, name in enumerate(calibration.latents)}
    for bit, part, name in ((1, calibration.small, SIZE), (2, calibration.faint, CONTRAST)):
        rows = np.flatnonzero(lesions.stratum & bit)
        out[name][rows] = part.curve(lesions.score[rows, part.latent])
    flat, plain = (lesions.score[:, calibration.at(name)] <= calibration.zero[name] for name in (SPREAD, RINGS))
    out[SPREAD] = np.where(flat, 0.0, out[SPREAD])
    out[RINGS] = np.where(flat | plain, 0.0, out[RINGS])
    out = {name: significant(column) for name, column in out.items()}
    noise = np.clip(rng.standard_normal((_NOISES, len(flat))), -3.5, 3.5)
    _shape(out, (lesions.stratum & 1).astype(bool), rng.random(len(flat)), noise[:2])
    _scores(out)
    _contrast(out, noise[2:4])
    edges = np.cumsum(calibration.facts["angle_shares"])
    step = np.searchsorted(edges[:-1], rng.random(len(flat)), side="right")
    out["tbp_lv_symm_2axis_angle"] = np.asarray(5 * step, dtype=np.float64)
    return out


def significant(value: Array, digits: int = 7) -> Array:
    """Round to significant decimal digits, as most of the official numbers are: the text written is the number."""
    magnitude = np.floor(np.log10(np.where(value == 0.0, 1.0, np.abs(value))))
    factor = 10.0 ** np.clip(digits - 1 - magnitude, 0, 22)
    return np.asarray(np.round(value * factor) / factor)


def _shape(out: Columns, small: Flags, draw: Array, noise: Array) -> None:
    """Sides from size and eccentricity, area from the sides, perimeter from the area, all on the grid of pixels.

    The sides are those of a rectangle along a direction (i, j) of whole pixels, so they are multiples of a pixel over
    its length; most directions are too fine for it to show. Rounding moves no lesion over the 2.5 mm from which
    detection is automatic. Fitted to real rows: the minor side from eccentricity, sd 0.034.
    """
    which = np.searchsorted(np.cumsum(list(_DIRECTIONS.values()))[:-1], draw, side="right")
    step = _PIXEL / np.sqrt(np.array(list(_DIRECTIONS)))[which]
    long = np.round(out[SIZE] / step)
    long = np.where(small, np.minimum(long, np.ceil(_FLOOR / step) - 1.0), np.maximum(long, np.ceil(_FLOOR / step)))
    aspect = 0.081 + 0.899 * np.sqrt(1.0 - np.square(out["tbp_lv_eccentricity"])) + 0.034 * noise[0]
    short = np.clip(np.round(long * aspect), 1.0, long)
    pixels = np.maximum(np.round(np.pi / 4.0 * long * short * np.square(step / _PIXEL) * out.pop("fill")), 1.0)
    area = significant(pixels * _PIXEL**2)
    outline = _outline(np.sqrt(out["tbp_lv_area_perim_ratio"] * pixels), _DIAGONAL + _DIAGONAL_SD * noise[1])
    perimeter = significant(outline * _PIXEL)
    out[SIZE], out["tbp_lv_minorAxisMM"], out["tbp_lv_areaMM2"] = (
        np.round(long * step, 2),
        significant(short * step),
        area,
    )
    out["tbp_lv_perimeterMM"] = perimeter
    out["tbp_lv_area_perim_ratio"] = significant(np.square(perimeter) / area)


def _outline(length: Array, diagonal: Array) -> Array:
    """Length of a closed path on the grid, an even number of straight steps and some diagonal ones, near `length`.

    Of the numbers of diagonal steps around the wanted share, the one that comes nearest is taken.
    """
    wanted = np.round(diagonal * length / (1.0 + (np.sqrt(2.0) - 1.0) * diagonal))
    best = np.full_like(length, np.inf)
    for more in range(-2, 3):
        slant = np.maximum(wanted + more, 0.0) * np.sqrt(2.0)
        path = slant + 2.0 * np.maximum(np.round((length - slant) / 2.0), 0.0)
        best = np.where(np.abs(path - length) < np.abs(best - length), path, best)
    return best


def _scores(out: Columns) -> None:
    """The vendor's scores of 0 to 10: each the sum of two halves that stop at 5."""
    for score, halves in {
        "tbp_lv_norm_border": (
            0.18226 * (out["tbp_lv_area_perim_ratio"] - 4 * np.pi),
            7.40741 * out["tbp_lv_symm_2axis"],
        ),
        "tbp_lv_norm_color": (1.46929 * out[SPREAD], 1.52812 * out[RINGS]),
    }.items():
        out[score] = significant(np.minimum(halves[0], _HALF) + np.minimum(halves[1], _HALF))


def _contrast(out: Columns, noise: Array) -> None:
    """Colours inside, from the skin's and the contrasts.

    Fitted to real rows: deltaLBnorm / deltaLB from the skin's lightness and redness, sd 0.0145; deltaLB² less deltaL²
    and deltaB² from the spreads of lightness. A yellow-blue contrast larger than the whole allows is bent, never the
    darkness.
    """
    skin = {axis: out[f"tbp_lv_{axis}ext"] for axis in "ABL"}
    scale = np.exp(2.4995 - 0.00484 * skin["A"] + 0.0145 * noise[0]) * skin["L"] ** -0.6753
    both = significant(out[CONTRAST] / scale)
    spreads = 0.92 * out["tbp_lv_stdL"] ** 0.76 * out["tbp_lv_stdLExt"] ** 0.51 * np.exp(0.468 * noise[1])
    reach = np.sqrt(np.square(both) - np.minimum(spreads, 0.4 * np.square(both)))
    blue = out["tbp_lv_deltaB"]
    yellow = blue / (1.0 + (blue / (0.95 * reach)) ** 4) ** 0.25
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
