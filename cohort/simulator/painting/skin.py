"""Bare skin: mottles of pigment and blood, relief, creases, freckles, pores and glints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cohort.simulator.painting.canvas import (
    Canvas,
    Field,
    band_pass,
    between,
    fields,
    low_pass,
    sigmoid,
    squared_frequency,
    tint,
)
from cohort.simulator.painting.light import Lighting
from cohort.simulator.painting.strokes import coverage, curves
from cohort.simulator.painting.subject import Subject

# CIELAB that a unit of each adds: relief shades the skin, pigments colour it.
RELIEF = (1.0, -0.11, -0.09)
MELANIN = (-1.0, 0.30, 0.40)
BLOOD = (-0.50, 1.0, 0.0)
CAROTENE = (-0.20, 0.10, 1.0)
PORE = (-16.0, 2.0, 1.0)
# Standard deviations of the logarithms of relief, melanin, blood, carotene, and of creases and glints.
_VARIETY = np.array([0.3, 0.4, 0.35, 0.35, 0.5])


@dataclass(frozen=True, slots=True)
class Texture:
    """How rough and how mottled the skin of one crop is; amplitudes are CIELAB standard deviations.

    Attributes:
        angle: Direction of the tension lines, radians.
        stretch: Length to width of the relief's pattern.
        relief: Fine relief.
        melanin: Mottles of pigment.
        blood: Mottles of blood.
        carotene: Mottles of yellow.
        cobbles: Share of the relief that is a net of fine furrows, 0 to 1.
        creases: Depth of the creases; 0 for none.
        freckles: Contrast of sun freckles; 0 for none.
        pores: Whether follicles show as dots.
        glints: Strength of the specular reflections.
    """

    angle: float
    stretch: float
    relief: float
    melanin: float
    blood: float
    carotene: float
    cobbles: float
    creases: float
    freckles: float
    pores: bool
    glints: float


def texture(subject: Subject, light: Lighting, rng: np.random.Generator) -> Texture:
    """Draw the texture of a lesion's skin; the table's spread outside sets its strength."""
    strength = min((subject.spread_outside / 2.24) ** 0.9, 1.8)
    # Old, sun-worn skin is rougher and more mottled at once.
    wear = 0.22 * rng.standard_normal()
    logs = np.exp(wear + rng.standard_normal(5).clip(-2.5, 1.8) * _VARIETY).tolist()
    u = rng.random(7).tolist()
    return Texture(
        angle=u[0] * np.pi,
        stretch=1 + 0.65 * rng.gamma(1.5),
        relief=1.85 * light.relief * strength * logs[0],
        melanin=0.85 * light.mottle * strength * logs[1],
        blood=min(0.9 * light.mottle * strength**1.2 * logs[2], 2.6),
        carotene=min(1.0 * light.mottle * strength**1.2 * logs[3], 2.2),
        cobbles=0.7 * u[6],
        creases=min(4.0 * light.relief * logs[4], 9.0) if u[1] < 0.36 else 0.0,
        freckles=1.5 + 4 * u[3] if u[2] < 0.3 else 0.0,
        pores=u[4] < 0.06,
        glints=light.glints * logs[4] * u[5] ** 2,
    )


def bare_skin(base: Field, on: Canvas, how: Texture, rng: np.random.Generator) -> tuple[Field, Field, Field]:
    """Paint skin without anything on it.

    Args:
        base: Mean colour, shape (3, 1, 1).
        on: The canvas.
        how: Its texture.
        rng: Source.

    Returns:
        CIELAB of shape (3, side, side), and the relief and the mottle of pigment in standard deviations, shape
        (side, side).
    """
    relief = _relief(on, how, rng)
    coarse = on.coarse
    soft = coarse.lens
    mild = squared_frequency(coarse, angle=how.angle, stretch=1 + (how.stretch - 1) / 2)
    smooth = low_pass(mild, 0.22, 1.0) * soft
    spectra = [low_pass(mild, 0.25, 0.8) * soft, smooth, smooth]
    if how.creases:
        spectra.append(low_pass(squared_frequency(coarse, angle=how.angle, stretch=5.0), 0.7, 2.0))
    if how.freckles:
        spectra.append(band_pass(mild, 0.45, 0.8) * soft)
    made = fields(coarse, rng, spectra)
    melanin, blood, carotene = made[:3]
    # What has no fine detail is laid down on the coarse points, so that three planes are refined and not five fields.
    soft_planes = np.empty((5 if how.creases else 4, *melanin.shape), np.float32)
    colour = soft_planes[:3]
    colour[:] = base
    soft_planes[3] = melanin
    if how.creases:
        soft_planes[4] = made[3]
    for shade, strength, field in (
        (MELANIN, how.melanin, melanin),
        (BLOOD, how.blood, blood),
        (CAROTENE, how.carotene, carotene),
    ):
        tint(colour, np.multiply(shade, strength), field)
    if how.freckles:
        tint(colour, np.multiply(MELANIN, how.freckles), sigmoid(3 * (made[-1] - np.float32(1.0))))
    fine = between(soft_planes)
    lab, melanin = fine[:3], fine[3]
    tint(lab, np.multiply(RELIEF, how.relief), relief)
    if how.glints:
        lab[0] += np.float32(2.5 * how.glints) * np.maximum(relief - np.float32(1.3), 0) ** 2
    if how.creases:
        _crease(lab, fine[4], melanin, how.creases)
    if how.pores:
        _pores(lab, on, how.angle, rng)
    return lab, relief, melanin


def _relief(on: Canvas, how: Texture, rng: np.random.Generator) -> Field:
    """The fine relief: part smooth noise, part cobbles between furrows, in standard deviations."""
    drawn = squared_frequency(on, angle=how.angle, stretch=how.stretch)
    fine = low_pass(drawn, 1.8 - how.cobbles, 1.1) * (drawn / (drawn + np.float32(0.45**2))) * on.lens
    noise = np.ascontiguousarray(fields(on, rng, [fine])[0])
    # Furrows run where the field crosses zero: its size is half-normal, mean 0.8 and standard deviation 0.6.
    # Turned by half a turn, it is as good as another field of the same grain.
    cobbles = np.abs(noise[::-1, ::-1]) - np.float32(0.8)
    relief: Field = noise * np.float32(1 - how.cobbles) + cobbles * np.float32(how.cobbles / 0.6)
    return relief


def _crease(lab: Field, field: Field, fade: Field, depth: float) -> None:
    """Darken along the zero crossings of a drawn-out field, more here, less there."""
    valley = np.exp(field * field * np.float32(-1 / (2 * 0.22**2))) * np.clip(
        np.float32(0.6) + np.float32(0.4) * fade, 0, 1.5
    )
    tint(lab, (-depth, 0.15 * depth, 0.0), valley)


def _pores(lab: Field, on: Canvas, angle: float, rng: np.random.Generator) -> None:
    """Follicles as short parallel dashes."""
    count = int(rng.integers(60, 160))
    dashes = curves(rng, count, length=0.35, direction=angle, spread=0.15, bend=0.0)
    width = np.full(count, 0.14, np.float32)
    strengths = (0.3 + 0.5 * rng.random(count)).astype(np.float32)
    tint(lab, PORE, coverage(on, dashes, width, strengths, blur_mm=on.blur_mm))
