"""What else a crop may hold: veins, folds, thread vessels, scars, pen marks, hairs, and the end of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cohort.simulator.painting.canvas import Canvas, Field, tint
from cohort.simulator.painting.strokes import coverage, curves
from cohort.simulator.painting.subject import Lab, Subject


@dataclass(frozen=True, slots=True)
class Streak:
    """A kind of curved mark.

    Attributes:
        chance: Share of crops that have it.
        most: Largest number of marks in a crop.
        length: Mean length, mm.
        bend: Turn from end to end, radians (standard deviation).
        width: Width, mm.
        blur: Softness, mm.
        shade: CIELAB that a full stroke adds.
    """

    chance: float
    most: int
    length: float
    bend: float
    width: float
    blur: float
    shade: Lab


STREAKS = (
    Streak(0.05, 2, 14.0, 0.8, 1.0, 0.35, (-5.0, -3.5, -6.0)),  # veins
    Streak(0.04, 2, 18.0, 0.5, 0.6, 0.25, (-14.0, 3.0, 2.0)),  # folds
    Streak(0.06, 6, 3.0, 1.5, 0.12, 0.10, (-7.0, 9.0, -1.0)),  # thread vessels
    Streak(0.02, 2, 6.0, 0.4, 0.5, 0.20, (6.0, -3.5, -2.0)),  # scars
    Streak(0.004, 3, 9.0, 3.0, 0.3, 0.10, (-28.0, 8.0, -24.0)),  # pen
)
_DARK_HAIR, _GREY_HAIR = (22.0, 5.0, 7.0), (80.0, 3.0, 8.0)


def paint_streaks(lab: Field, on: Canvas, rng: np.random.Generator) -> None:
    """Add the marks of `STREAKS` to `lab`, in place."""
    for kind, u in zip(STREAKS, rng.random(len(STREAKS)).tolist(), strict=True):
        if u > kind.chance:
            continue
        count = int(rng.integers(1, kind.most + 1))
        paths = curves(rng, count, length=kind.length, direction=rng.random() * np.pi, spread=0.5, bend=kind.bend)
        width = np.full(count, kind.width, np.float32)
        strengths = (0.4 + 0.6 * rng.random(count)).astype(np.float32)
        mask = coverage(on, paths, width, strengths, blur_mm=float(np.hypot(kind.blur, on.blur_mm)))
        tint(lab, kind.shade, mask)


def paint_hair(lab: Field, subject: Subject, on: Canvas, rng: np.random.Generator) -> None:
    """Lay hairs over everything, in place: none in most crops, more on men and limbs, stubble or grey now and then."""
    u = rng.random(8).tolist()
    hairy = (0.75 if subject.sex == "female" else 1.15) * (1.15 if "extremity" in subject.site else 1.0)
    if u[0] > 0.38 * hairy:
        return
    stubble, grey = u[1] < 0.08, u[2] < 0.1
    count = 1 + int(rng.gamma(0.9) * 18 * hairy)
    length, bend = (1.5, 0.1) if stubble else (5 + 8 * u[3], 1.0 * u[4] + 0.15)
    spread = 0.15 if stubble else 0.25 + 0.6 * u[7]
    paths = curves(rng, count, length=length, direction=u[5] * np.pi, spread=spread, bend=bend)
    widths = ((0.06 + 0.05 * u[3]) * (0.7 + 0.6 * rng.random(count))).astype(np.float32)
    strengths = ((0.25 + 0.55 * u[6]) * (0.4 + 0.6 * rng.random(count))).astype(np.float32)
    mask = coverage(on, paths, widths, strengths, blur_mm=on.blur_mm)
    for plane, shade in zip(lab, _GREY_HAIR if grey else _DARK_HAIR, strict=True):
        np.add(plane, (np.float32(shade) - plane) * mask, out=plane)


def end_of_picture(pixels: NDArray[np.uint8], on: Canvas, rng: np.random.Generator) -> None:
    """Blacken a bar where the source image ends (one crop in 50), or lay a hem of cloth over a corner (one in 200)."""
    u = rng.random(4).tolist()
    if u[0] < 0.02:
        wide = max(1, int(on.side * 0.4 * u[1] ** 1.5))
        np.rot90(pixels, int(rng.choice(4, p=(0.35, 0.15, 0.35, 0.15))))[:wide] = 0
    elif u[0] > 0.995:
        turn = u[2] * 2 * np.pi
        beyond = on.x * np.float32(np.cos(turn)) + on.y * np.float32(np.sin(turn)) > 4.0 + 3.0 * u[3]
        weave = (12 * np.sin(on.x * 18) * np.sin(on.y * 18))[beyond]
        cloth = rng.random(3) * rng.choice((40, 120, 230)) + 10
        pixels[beyond] = np.clip(cloth + weave[:, None], 0, 255)
