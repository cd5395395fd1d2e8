"""The lesion itself and the smaller ones around it."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, radians, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from cohort.simulator.painting.canvas import (
    WIDTH_MM,
    Canvas,
    Field,
    between,
    fields,
    low_pass,
    sigmoid,
    tint,
)
from cohort.simulator.painting.subject import Subject

# Both the eye and a threshold see more of a lesion than the table's outline, which is that of its darker part.
_SIZE = 1.03
_RED = (-17.0, 19.0, 4.0)


@dataclass(frozen=True, slots=True)
class Mole:
    """A lesion laid out on the part of the canvas that it can reach.

    Attributes:
        contrast: CIELAB that it adds to the skin on average, shape (3,).
        window: Rows and columns of that part; the fields below have its shape.
        u: Millimetres along the long axis.
        v: Millimetres along the short axis.
        radius: Geometric mean of the half axes, mm.
        depth: Millimetres inside the border, negative outside.
        cover: 0 outside to 1 inside, with the softness of the border.
        inside: 1 where `cover` is above a half, 0 elsewhere.
        pixels: How many are inside.
        patches: Three fields of unit variance on the lesion's own scale.
    """

    contrast: Field
    window: tuple[slice, slice]
    u: Field
    v: Field
    radius: float
    depth: Field
    cover: Field
    inside: Field
    pixels: int
    patches: Field


def lay_out(subject: Subject, contrast: Field, on: Canvas, rng: np.random.Generator, *, growth: float) -> Mole:
    """Draw the outline: an ellipse of the table's axes whose border wanders as far as the table's jaggedness says.

    Args:
        subject: The lesion.
        contrast: CIELAB that it adds to the skin on average, shape (3,).
        on: The canvas.
        rng: Source.
        growth: How far it has spread beyond the table's outline, 0 for not at all.
    """
    half, minor = _half_axes(subject, growth)
    radius = sqrt(half * minor)
    turn = radians(subject.angle)
    c, s = cos(turn), sin(turn)
    around = 2.5 if growth else 2.0  # mm for the soft border, and for the halo of what has grown
    margins = (
        _margin(on, 1.5 * hypot(half * s, minor * c) + around),
        _margin(on, 1.5 * hypot(half * c, minor * s) + around),
    )
    window, patches = _patches(on, margins, radius, rng)
    x, y = on.x[:, window[1]], on.y[window[0]]
    u, v = np.float32(c) * x + np.float32(s) * y, np.float32(c) * y - np.float32(s) * x
    depth = np.sqrt((u * np.float32(1 / half)) ** 2 + (v * np.float32(1 / minor)) ** 2)
    depth = (1 - depth) * np.float32(radius) + np.float32(_wander(subject, radius)) * patches[0]
    depth -= _surplus(depth, np.pi * half * minor / on.pitch**2)
    # A crop is centred on the table's outline; what has grown beyond it lies to one side.
    astray = (0.03 + 0.3 * growth) * rng.standard_normal(2).clip(-1.5, 1.5) / on.pitch
    moved = (astray - _middle(depth > 0)).round().astype(int)
    window = _moved(window, moved, margins)
    soft = hypot(rng.gamma(3.0) * 0.06 + 0.04 * radius, on.blur_mm)
    cover = np.float32(0.85) * sigmoid(depth * np.float32(1.6 / soft))
    cover += np.float32(0.15) * sigmoid((depth + np.float32(0.3 * radius)) * np.float32(5 / radius))
    inside = (cover > 0.5).astype(np.float32)
    return Mole(contrast, window, u, v, radius, depth, cover, inside, int(inside.sum()), patches)


def _half_axes(subject: Subject, growth: float) -> tuple[float, float]:
    """Half the long and the short axis as they show in the crop, mm."""
    size = 0.5 * _SIZE * (1 + 0.15 * growth)
    more = 0.75 * growth
    return size * subject.diameter + more, size * min(subject.minor_axis, subject.diameter) + more


def _wander(subject: Subject, radius: float) -> float:
    """How far the border strays from the ellipse, mm (standard deviation)."""
    ragged = min(max(sqrt(max(subject.jaggedness, 0.0) / 14.5) - 1, 0.0), 1.5)
    return min(radius, 1.6) * (0.05 + 0.42 * ragged + 0.25 * subject.asymmetry)


def _surplus(depth: Field, pixels: float) -> np.float32:
    """What to subtract from `depth` to leave so many pixels inside: a wandering border must not change the area."""
    rank = depth.size - int(min(max(pixels, 1), depth.size))
    return np.float32(np.partition(depth, rank, axis=None)[rank])


def _margin(on: Canvas, reach: float) -> int:
    """Pixels, an even number, from the canvas's edge to `reach` mm from the centre."""
    return 2 * max(0, int((WIDTH_MM / 2 - reach) / on.pitch / 2))


def _moved(window: tuple[slice, slice], by: NDArray[np.int_], margins: tuple[int, int]) -> tuple[slice, slice]:
    """The window moved `by` rows and columns, but not past the canvas's edge: what fills the crop fills all of it."""
    steps = np.clip(by, np.negative(margins), margins).tolist()
    rows, columns = (slice(line.start + step, line.stop + step) for line, step in zip(window, steps, strict=True))
    return rows, columns


def _middle(inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Rows below and columns right of the centre where the middle of `inside` lies; 0, 0 if it is empty."""
    ones = inside.astype(np.float32)
    rows, columns = ones.sum(1), ones.sum(0)
    total = float(rows.sum())
    if not total:
        return np.zeros(2)
    return np.array([(sums * np.arange(len(sums))).sum() / total - (len(sums) - 1) / 2 for sums in (rows, columns)])


def _patches(
    on: Canvas, margins: tuple[int, int], radius: float, rng: np.random.Generator
) -> tuple[tuple[slice, slice], Field]:
    """The window within these margins, and the fields on it; only this part of them is refined."""
    coarse = on.coarse
    squared, soft = coarse.squared, coarse.lens
    outline = low_pass(squared, 0.30 + 0.35 / radius, 1.6) * soft
    patch = low_pass(squared, 0.25 + 0.3 / radius, 1.2) * soft
    down, right = (slice(margin, on.side - margin) for margin in margins)
    inner = [slice(margin // 2, (on.side - margin + 1) // 2) for margin in margins]
    return (down, right), between(fields(coarse, rng, [outline, patch, patch])[:, *inner])


def pigment(subject: Subject, mole: Mole, relief: Field, rng: np.random.Generator) -> Field:
    """How much of the lesion's mean contrast each pixel has: mean 1 inside, falling to 0 outside."""
    core = np.exp((mole.u**2 + mole.v**2) * np.float32(-1 / (1.1 * mole.radius) ** 2))
    uneven = min(max(0.06 + 0.08 * subject.spread_inside / 2.7 + 0.05 * rng.standard_normal(), 0.03), 0.3)
    amount: Field = (
        mole.cover * (np.float32(0.8) + np.float32(0.4) * core) * np.exp(np.float32(uneven) * mole.patches[1])
    )
    amount *= 1 - np.float32(0.05) * relief
    mean = float((amount * mole.inside).sum()) / mole.pixels if mole.pixels else float(amount.max())
    amount *= np.float32(1 / max(mean, 0.2))
    return amount


def paint_mole(lab: Field, subject: Subject, mole: Mole, relief: Field, rng: np.random.Generator) -> None:
    """Lay the lesion's colour over the skin of the mole's window, `lab` and its `relief`, in place."""
    tint(lab, mole.contrast, pigment(subject, mole, relief, rng))
    spread = min(0.7 * subject.colour_spread, 3.5)
    for channel, patch, share in ((1, mole.patches[0], 0.8), (2, mole.patches[2], 1.0)):
        middle, width = _middle_and_width(patch, mole)
        lab[channel] += np.float32(share * spread / width) * mole.cover * (patch - np.float32(middle))
    turn = rng.random() * 2 * np.pi
    slope = mole.u * np.float32(np.cos(turn) / mole.radius) + mole.v * np.float32(np.sin(turn) / mole.radius)
    slope *= np.float32(0.7 * subject.colour_asymmetry) * mole.cover
    tint(lab, (1.2, 0.0, 0.6), slope)


def _middle_and_width(patch: Field, mole: Mole) -> tuple[float, float]:
    """Mean and standard deviation inside.

    The latter is at least 0.4: a patch as large as the lesion is not forced to spread.
    """
    if not mole.pixels:
        return 0.0, 1.0
    values = patch * mole.inside
    middle = float(values.sum()) / mole.pixels
    values *= patch
    return middle, sqrt(max(float(values.sum()) / mole.pixels - middle**2, 0.16))


def paint_neighbours(lab: Field, contrast: Field, on: Canvas, wobble: Field, rng: np.random.Generator) -> None:
    """Scatter a few smaller lesions over the skin, in place: mostly pale brown ones, now and then a red one."""
    for _ in range(min(int(rng.negative_binomial(0.7, 0.3)), 9)):
        place = ((rng.random(2) - 0.5) * 15).tolist()
        if hypot(*place) < 2.5:
            continue
        red = rng.random() < 0.04
        radius = 0.15 + (0.15 if red else 0.3) * rng.gamma(1.3)
        shade = np.multiply(_RED, 0.5 + 0.7 * rng.random()) if red else contrast * (0.25 + 0.75 * rng.random())
        _spot(lab, shade, on, place=place, radius=radius, wobble=wobble, waviness=0.08 if red else 0.3)


def _spot(
    lab: Field,
    shade: NDArray[np.floating],
    on: Canvas,
    *,
    place: list[float],
    radius: float,
    wobble: Field,
    waviness: float,
) -> None:
    """Add one roundish spot, touching only the pixels around it."""
    soft = hypot(0.15, on.blur_mm)
    reach = radius * 2 + 4 * soft
    right, down = (
        slice(
            max(int((middle - reach) / on.pitch + on.side / 2), 0),
            max(int((middle + reach) / on.pitch + on.side / 2) + 1, 0),
        )
        for middle in place
    )
    window = (down, right)
    far = np.hypot(on.x[:, right] - np.float32(place[0]), on.y[down] - np.float32(place[1]))
    depth = np.float32(radius) * (1 + np.float32(waviness) * wobble[window]) - far
    tint(lab[:, *window], shade, sigmoid(depth * np.float32(1.6 / soft)))
