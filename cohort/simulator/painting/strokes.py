"""Thin curved strokes: hairs and vessels, as coverage masks."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from cohort.simulator.painting.canvas import WIDTH_MM, Canvas, Field

_OVERSAMPLING = 2
_STEPS = np.linspace(-0.5, 0.5, 14, dtype=np.float32)
_WAVE = np.sin(2 * np.pi * _STEPS)


def curves(
    rng: np.random.Generator, count: int, *, length: float, direction: float, spread: float, bend: float
) -> Field:
    """`count` random arcs, shape (count, 14, 2), mm from the centre.

    Args:
        rng: Source.
        count: Number of arcs.
        length: Mean length, mm.
        direction: Common direction, radians.
        spread: Standard deviation of an arc's direction, radians.
        bend: Standard deviation of the turn from one end to the other, radians.
    """
    across, down, longer = rng.random((3, count, 1), np.float32)
    start, turn, wave = rng.standard_normal((3, count, 1), np.float32)
    heading = (direction + spread * start) + bend * (turn * _STEPS + 0.25 * wave * _WAVE)
    piece = (0.5 + longer) * (length / 13)
    path = np.empty((count, len(_STEPS), 2), np.float32)
    # An arc's place is that of its two middle points.
    for axis, (turned, middle) in enumerate(((np.cos(heading), across), (np.sin(heading), down))):
        walked = (turned * piece).cumsum(1)
        path[..., axis] = walked + ((middle - 0.5) * (WIDTH_MM + 3) - walked[:, 6:8].mean(1, keepdims=True))
    return path


def coverage(on: Canvas, paths: Field, widths: Field, strengths: Field, *, blur_mm: float) -> Field:
    """How much of each pixel the strokes cover, 0 to 1, shape (side, side).

    Args:
        on: The canvas.
        paths: Shape (count, points, 2), mm from the centre.
        widths: Shape (count,), mm.
        strengths: Opacity of each stroke, 0 to 1, shape (count,).
        blur_mm: Standard deviation of the overall blur.
    """
    size = on.side * _OVERSAMPLING
    scale = size / WIDTH_MM
    points = paths * scale + size / 2
    mask = Image.new("L", (size, size))
    draw = ImageDraw.Draw(mask)
    thick = widths * scale
    # A stroke thinner than a fine pixel is drawn a pixel wide and fainter.
    shades = np.rint(255 * strengths * np.minimum(1, thick)).astype(int).tolist()
    pens = np.maximum(1, np.rint(thick)).astype(int).tolist()
    for path, shade, pen in zip(points.reshape(len(points), -1).tolist(), shades, pens, strict=True):
        draw.line(path, fill=shade, width=pen, joint=None)
    small = mask.reduce(_OVERSAMPLING)
    # A box of this half width has the variance of the Gaussian, and costs a third.
    small = small.filter(ImageFilter.BoxBlur(max(0.0, float(1.732 * blur_mm / on.pitch - 0.5))))
    return np.asarray(small).astype(np.float32) * np.float32(1 / 255)
