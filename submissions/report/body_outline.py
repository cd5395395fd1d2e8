"""The outline that lesions are drawn on: thick strokes along our own bones, as wide as the patient's lesions need.

A lesion further out, because this body is in another pose or larger, is drawn inside the edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Point = tuple[float, float]


class Part(NamedTuple):
    """A part of the body, in mm: its least and greatest half width, and its bones on the left; all are mirrored."""

    least: float
    most: float
    bones: tuple[tuple[Point, ...], ...]


PARTS = (
    Part(88, 105, (((0, 1660), (0, 1625)),)),  # head
    Part(50, 70, (((0, 1600), (0, 1450)),)),
    Part(50, 62, (((140, 1385), (105, 1170), (112, 950)), ((50, 1400), (40, 1170), (45, 950)))),  # trunk
    Part(40, 58, (((180, 1390), (275, 1150), (370, 890)),)),  # arm
    Part(60, 76, (((95, 900), (140, 500), (148, 60)),)),  # leg
)
_EDGE = 10.0  # mm between lesions and the edge
_WITHIN = 0.95  # share of a part's lesions that its width must cover


def _mirrored(part: Part) -> list[tuple[Point, ...]]:
    return [*part.bones, *(tuple((-x, y) for x, y in bone) for bone in part.bones)]


def _points(bones: Iterable[Sequence[Point]]) -> Floats:
    """Points on bones, every few centimetres, shape (points, 2)."""
    ends = np.array([pair for bone in bones for pair in pairwise(bone)])
    share = np.linspace(0, 1, 13)[:, None, None]
    points: Floats = ends[:, 0] + share * (ends[:, 1] - ends[:, 0])
    return points.reshape(-1, 2)


_BONES = [_points(_mirrored(part)) for part in PARTS]


def fit(places: Floats) -> tuple[list[float], Floats]:
    """Fit the outline to lesions, and move those beyond its edge inside.

    Args:
        places: x and y in mm, shape (lesions, 2).

    Returns:
        Half the width of each of `PARTS` in mm, and the places to draw the lesions at.
    """
    nearest = np.stack([_nearest(places, bones) for bones in _BONES])  # (parts, lesions, 2)
    away = np.linalg.norm(places - nearest, axis=2)
    beyond = away - np.array([[part.most] for part in PARTS])  # a thick part reaches further than a thin one
    part, rows = beyond.argmin(axis=0), np.arange(len(places))
    bone, distance = nearest[part, rows], away[part, rows]
    halves = [_half_width(one, distance[part == place]) for place, one in enumerate(PARTS)]
    room = np.array(halves)[part] - _EDGE
    share = np.minimum(1.0, room / np.maximum(distance, 1.0))[:, None]
    return halves, bone + share * (places - bone)


def _nearest(places: Floats, points: Floats) -> Floats:
    squares: Floats = ((places[:, None, :] - points[None, :, :]) ** 2).sum(axis=2)
    nearest: Floats = points[squares.argmin(axis=1)]
    return nearest


def _half_width(part: Part, distances: Floats) -> float:
    wanted = np.quantile(distances, _WITHIN) + _EDGE if len(distances) else 0.0
    return round(float(np.clip(wanted, part.least, part.most)), 1)


def strokes(halves: Sequence[float]) -> list[tuple[float, str]]:
    """Width and path, in mm, of the stroke that draws each part."""
    return [(2 * half, _path(_mirrored(part))) for half, part in zip(halves, PARTS, strict=True)]


def _path(bones: Iterable[Sequence[Point]]) -> str:
    return "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in bone) for bone in bones)
