"""Signs of malignancy that only the crop shows; their strength grows with the lesion's latent `crop_sign`."""

from __future__ import annotations

from math import exp, log1p

import numpy as np

from cohort.simulator.painting.canvas import Canvas, Field, band_pass, between, fields, sigmoid, tint
from cohort.simulator.painting.mole import Mole
from cohort.simulator.painting.strokes import coverage, curves
from cohort.simulator.painting.subject import Subject

# Fine vessels show only if the other signs are plain.
_VESSELS_FROM = 0.4


def strength(subject: Subject) -> float:
    """How strongly the signs show: 0 for the lower third of the benign lesions, then a soft ramp, 1.7 at 2, to 1.8."""
    return min(max(log1p(exp(1.6 * (min(subject.sign, 3.0) - 0.4))) / 1.4 - 0.16, 0.0), 1.8)


def pigmented(contrast: Field) -> float:
    """Share of the signs that are those of a pigmented lesion, 0 to 1; the rest are those of a pink or scaly one."""
    L, a, _ = contrast.tolist()
    return 1 / (1 + exp(min(0.45 * (L + 9) + 0.25 * (a - 7), 700)))


def paint_signs(lab: Field, mole: Mole, on: Canvas, rng: np.random.Generator, g: float) -> None:
    """Add signs of strength `g` to the mole's window `lab`, in place."""
    dark = pigmented(mole.contrast)
    kind = rng.random()
    amounts = (0.6 + 0.4 * rng.random(6)).tolist()
    _halo(lab, mole, min(g * amounts[0] * (1.5 - 0.6 * dark), 1.1))
    _second_focus(lab, mole, g * amounts[1] * (0.5 + 0.6 * dark), rng)
    if kind < dark:
        _network(lab, mole, _grained(on, mole, 1.1, 0.35, rng), g * amounts[2])
        _veil(lab, mole, g * amounts[3], rng)
    else:
        _scale(lab, mole, _grained(on, mole, 1.0, 0.6, rng), g * amounts[4])
        _crust(lab, mole, g * amounts[2], rng)
        if g > _VESSELS_FROM:
            _vessels(lab, on, mole, g * amounts[5], rng)


def _grained(on: Canvas, mole: Mole, centre: float, width: float, rng: np.random.Generator) -> Field:
    """A field with grains of about 1 / (2 centre) mm, of the shape of the mole's window."""
    coarse = on.coarse
    high, wide = mole.cover.shape
    made = fields(coarse, rng, [band_pass(coarse.squared, centre, width) * coarse.lens])
    return np.ascontiguousarray(between(made[:, : high // 2 + 1, : wide // 2 + 1])[0, :high, :wide])


def _halo(lab: Field, mole: Mole, amount: float) -> None:
    """Patchy redness around the lesion."""
    ring = np.exp(-((np.minimum(mole.depth, 0) / np.float32(0.8 + 0.35 * mole.radius)) ** 2))
    ring *= np.float32(amount) * np.maximum(1 + np.float32(0.7) * mole.patches[0], 0)
    ring *= 1 - np.float32(0.3) * mole.cover
    tint(lab, (-2.5, 6.0, 1.0), ring)


def _second_focus(lab: Field, mole: Mole, amount: float, rng: np.random.Generator) -> None:
    """A darker, off-centre part: asymmetry of structure."""
    turn, off = rng.random() * 2 * np.pi, mole.radius * (0.5 + 0.5 * rng.random())
    du = mole.u - np.float32(off * np.cos(turn))
    dv = mole.v - np.float32(off * np.sin(turn))
    blob = np.exp((du**2 + dv**2) * np.float32(-1 / (0.45 * mole.radius) ** 2))
    blob *= np.float32(0.35) + np.float32(0.65) * mole.cover
    tint(lab, np.multiply((min(float(mole.contrast[0]), -5.0) * 1.1, 0.0, -2.5), amount), blob)


def _network(lab: Field, mole: Mole, mesh: Field, amount: float) -> None:
    """A coarse dark mesh."""
    lines = np.exp(mesh * mesh * np.float32(-1 / (2 * 0.45**2))) - np.float32(0.4)
    tint(lab, (-5.5 * amount, 0.4 * amount, 1.2 * amount), lines * mole.cover)


def _veil(lab: Field, mole: Mole, amount: float, rng: np.random.Generator) -> None:
    """A structureless blue-white area over a part of the lesion."""
    area = mole.cover * sigmoid(3 * (mole.patches[2] + np.float32(rng.random() - 0.7)))
    tint(lab, np.multiply((1.0, -6.0, -6.0), amount), area)


def _scale(lab: Field, mole: Mole, field: Field, amount: float) -> None:
    """Raw redness under white flakes."""
    flakes = np.clip(field - np.float32(0.5), 0, 1.2) * sigmoid(4 * (mole.patches[2] - np.float32(0.1)))
    flakes *= mole.cover * np.float32(amount)
    tint(lab, (17.0, -8.0, -7.0), flakes)
    lab[1] += np.float32(5 * amount) * mole.cover


def _crust(lab: Field, mole: Mole, amount: float, rng: np.random.Generator) -> None:
    """A dark bloody spot near the middle: an ulcer or its crust."""
    off = rng.standard_normal(2) * 0.3 * mole.radius
    far = (mole.u - np.float32(off[0])) ** 2 + (mole.v - np.float32(off[1])) ** 2
    size = (0.2 + 0.2 * rng.random()) * mole.radius + 0.12
    spot = np.exp(far * np.float32(-1 / size**2)) * np.exp(np.float32(0.4) * mole.patches[1])
    tint(lab, np.multiply((-18.0, 5.0, 0.0), amount), spot)


def _vessels(lab: Field, on: Canvas, mole: Mole, amount: float, rng: np.random.Generator) -> None:
    """A few fine red vessels."""
    count = int(rng.integers(3, 8))
    paths = curves(rng, count, length=mole.radius * 1.2, direction=0.0, spread=3.0, bend=1.0)
    paths = paths * np.float32(mole.radius / 9)
    thin, dense = np.full(count, 0.1, np.float32), np.full(count, 0.9, np.float32)
    mask = coverage(on, paths, thin, dense, blur_mm=on.blur_mm)[mole.window]
    tint(lab, np.multiply((-9.0, 11.0, 1.0), amount), mask)
