"""Lighting: how a colour of the table looks in a crop, how light falls on the skin, and CIELAB to sRGB."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from cohort.simulator.calibration import published
from cohort.simulator.painting.canvas import Canvas, Field, stream
from cohort.simulator.painting.subject import Lab, Subject


@dataclass(frozen=True, slots=True)
class Lighting:
    """How one kind of tile renders skin; see docs/simulator-crops.md for where the figures come from.

    Attributes:
        pivot: Mean skin colour of the table under this lighting.
        skin: Median skin colour of the crops.
        slope: Crop against table, per axis.
        jitter: Standard deviation of what the table leaves out, per axis.
        contrast: Factor from the table's contrast to the crop's, per axis.
        tint: Added to the crop's contrast, per axis.
        relief: Strength of the skin's relief.
        mottle: Strength of the mottles of colour.
        glints: Strength of specular reflections; a cross-polariser removes most of them.
        fall_off: Mean relative loss of light across the crop.
    """

    pivot: Lab
    skin: Lab
    slope: Lab
    jitter: Lab
    contrast: Lab
    tint: Lab
    relief: float
    mottle: float
    glints: float
    fall_off: float


WHITE = Lighting(
    pivot=(59.2, 15.6, 26.0),
    skin=(62.3, 12.7, 15.4),
    slope=(0.65, 0.78, 0.82),
    jitter=(5.0, 0.9, 1.4),
    contrast=(1.08, 1.0, 1.0),
    tint=(0.0, 0.0, 1.3),
    relief=1.1,
    mottle=1.3,
    glints=0.5,
    fall_off=0.06,
)
CROSS_POLARISED = Lighting(
    pivot=(47.2, 14.7, 26.9),
    skin=(58.4, 14.0, 22.3),
    slope=(0.95, 1.3, 1.0),
    jitter=(6.0, 1.5, 1.6),
    contrast=(1.2, 1.15, 1.0),
    tint=(0.0, 0.0, 1.8),
    relief=1.0,
    mottle=1.65,
    glints=0.1,
    fall_off=0.10,
)


def lighting(subject: Subject) -> Lighting:
    """The lighting of a lesion's tile; any text but "3D: white" counts as cross-polarised."""
    return WHITE if subject.tile == "3D: white" else CROSS_POLARISED


@dataclass(frozen=True, slots=True)
class Camera:
    """What sets one hospital's pictures apart.

    Attributes:
        cast: CIELAB added to its skin.
        fineness: Factor on the number of pixels across 15 mm.
    """

    cast: Lab = (0.0, 0.0, 0.0)
    fineness: float = 1.0


_VIENNA = "ViDIR Group, Department of Dermatology, Medical University of Vienna"


@cache
def camera(hospital: str) -> Camera:
    """A hospital's camera: in SLICE-3D only Vienna's is finer; any other has a cast and a fineness of its own."""
    if hospital in published()["hospitals"] or not hospital:
        return Camera(fineness=1.16 if hospital == _VIENNA else 1.0)
    rng = stream(0, hospital, "camera")
    L, a, b = rng.standard_normal(3) * (4.0, 2.0, 3.0)
    return Camera((float(L), float(a), float(b)), float(0.9 + 0.25 * rng.random()))


def skin_colour(subject: Subject, light: Lighting, rng: np.random.Generator) -> Field:
    """CIELAB of the bare skin in the crop, shape (3, 1, 1)."""
    told = light.skin + np.multiply(light.slope, np.subtract(subject.outside, light.pivot))
    drawn = told + light.jitter * rng.standard_normal(3) + camera(subject.hospital).cast
    colour: Field = np.clip(drawn, (12.0, 1.0, 2.0), (92.0, np.inf, np.inf)).astype(np.float32)
    return colour[:, None, None]


def contrast(subject: Subject, light: Lighting) -> Field:
    """CIELAB that the lesion adds to the skin on average, shape (3,)."""
    added: Field = (np.multiply(subject.contrast, light.contrast) + light.tint).astype(np.float32)
    return added


def illumination(on: Canvas, light: Lighting, rng: np.random.Generator) -> Field:
    """Relative light on every pixel, around 1: a slope and a bend across a curved body."""
    amount = light.fall_off * rng.gamma(1.2)
    turn = rng.random() * 2 * np.pi
    bend = (rng.random() - 0.3) * amount
    # 1 + amount · along - bend · along², with along = right + down, in the cheapest order.
    right = on.x * np.float32(np.cos(turn) * 2 / 15)
    down = on.y * np.float32(np.sin(turn) * 2 / 15)
    relative: Field = right * (np.float32(-2 * bend) * down)
    relative += 1 + (np.float32(amount) - np.float32(bend) * right) * right
    relative += (np.float32(amount) - np.float32(bend) * down) * down
    return np.maximum(relative, np.float32(0.1), out=relative)


def to_srgb(lab: Field, light: Field) -> Field:
    """8-bit sRGB levels (D65), not yet rounded or cut at 255, of CIELAB under relative light.

    CIE 15:2004 and IEC 61966-2-1 without their linear pieces near black, where a level may be 3 too low.

    Args:
        lab: Shape (3, side, side).
        light: Factor on linear light, shape (side, side).

    Returns:
        Red, green and blue, shape (3, side, side).
    """
    fy = lab[0] + 16  # 116 times that of CIE 15, and so on
    roots = np.stack([fy + lab[1] * np.float32(116 / 500), fy, fy - lab[2] * np.float32(116 / 200)])
    # Not a matrix product: numpy's may depend on the number of threads.
    linear = np.einsum("ij,jkl->ikl", _CUBES_TO_RGB, roots * roots * roots * light)
    levels: Field = np.maximum(linear, np.float32(1)) ** np.float32(1 / 2.4) - np.float32(0.055 * 255)
    return levels


# 116³ times XYZ relative to the D65 white point, to (1.055 · 255)^2.4 times linear sRGB.
_CUBES_TO_RGB = (
    np.array(
        [
            [3.2404542 * 0.95047, -1.5371385, -0.4985314 * 1.08883],
            [-0.9692660 * 0.95047, 1.8760108, 0.0415560 * 1.08883],
            [0.0556434 * 0.95047, -0.2040259, 1.0572252 * 1.08883],
        ]
    )
    * ((1.055 * 255) ** 2.4 / 116**3)
).astype(np.float32)
