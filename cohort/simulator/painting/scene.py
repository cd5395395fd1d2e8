"""One crop from one table row: the parts put together, framed, and encoded."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cohort.simulator.painting import light as lights
from cohort.simulator.painting.canvas import BYTE_SD, Canvas, Field, canvas, random_bytes, stream
from cohort.simulator.painting.clutter import end_of_picture, paint_hair, paint_streaks
from cohort.simulator.painting.mole import lay_out, paint_mole, paint_neighbours
from cohort.simulator.painting.signs import paint_signs, strength
from cohort.simulator.painting.skin import bare_skin, texture
from cohort.simulator.painting.subject import Subject

# Sides of the 10,294 published crops: quantiles 0, 1, 5, 25, 50, 75, 95, 99, 100 %.
_SIDE_SHARES = np.array([0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0])
_SIDES = np.array([51.0, 95.0, 105.0, 117.0, 127.0, 137.0, 153.0, 175.0, 239.0])
_QUALITY = 75
# Sensor noise of red, green and blue for a unit of noise bytes: a standard deviation of 3, 3 and 4 levels, before the
# encoder flattens it.
_GRAIN = np.array([[[3.0]], [[3.0]], [[4.0]]], np.float32) / np.float32(BYTE_SD)
# glibc keeps as much free memory as twice the largest array that it has seen freed: that of one crop serves the next.
np.empty(1 << 24, np.uint8)


def side(subject: Subject, rng: np.random.Generator) -> int:
    """An odd number of pixels along an edge, 51 to 239, median 127."""
    wide = float(np.interp(rng.random(), _SIDE_SHARES, _SIDES)) * lights.camera(subject.hospital).fineness
    return int(min(max(2 * round((wide - 1) / 2) + 1, _SIDES[0]), _SIDES[-1]))


def paint_crop(subject: Subject, seed: int) -> bytes:
    """The JPEG of one lesion; it depends on the lesion and the seed alone."""
    rng = stream(seed, subject.isic_id, "scene")
    on = _focused(canvas(side(subject, rng)), rng)
    light, growth = lights.lighting(subject), strength(subject)
    base = lights.skin_colour(subject, light, rng)
    lab, relief, mottle = bare_skin(base, on, texture(subject, light, rng), rng)
    mole = lay_out(subject, lights.contrast(subject, light), on, rng, growth=growth)
    paint_neighbours(lab, mole.contrast, on, mottle, rng)
    near = lab[:, *mole.window].copy()
    paint_mole(near, subject, mole, relief[mole.window], rng)
    if growth:
        paint_signs(near, mole, on, stream(seed, subject.isic_id, "signs"), growth)
    lab[:, *mole.window] = near
    clutter = stream(seed, subject.isic_id, "clutter")
    paint_streaks(lab, on, clutter)
    paint_hair(lab, subject, on, clutter)
    pixels = _expose(lights.to_srgb(lab, lights.illumination(on, light, rng)), rng)
    end_of_picture(pixels, on, clutter)
    return _encoded(pixels)


def _focused(on: Canvas, rng: np.random.Generator) -> Canvas:
    """The canvas with a blur of about half a pixel; six crops in a hundred are out of focus."""
    pixels = 0.5 * np.exp(0.3 * rng.standard_normal()) * (3.5 if rng.random() < 0.06 else 1.0)
    return replace(on, blur_mm=on.pitch * float(pixels))


def _expose(levels: Field, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Add sensor noise and cut to bytes; shape (3, side, side) to (side, side, 3)."""
    noisy = random_bytes(rng, levels.size).reshape(levels.shape) * _GRAIN
    noisy += levels
    return np.stack(list(noisy.clip(0, 255, out=noisy).astype(np.uint8)), axis=-1)


def _encoded(pixels: NDArray[np.uint8]) -> bytes:
    """JPEG as the published crops are: quality 75, chroma halved both ways, standard Huffman tables."""
    encoded = BytesIO()
    Image.fromarray(pixels).save(encoded, "JPEG", quality=_QUALITY)
    return encoded.getvalue()
