"""Angles worked by hand: atan2(L - 50, b) in degrees."""

from __future__ import annotations

import math

import polars as pl
import pytest

from submissions.report.skin_tone import NEEDS, skin_tone, typology_angle


def _at(angle: float) -> tuple[float, float]:
    """Lightness and yellow-blue of a colour at an angle."""
    return 50 + 20 * math.sin(math.radians(angle)), 20 * math.cos(math.radians(angle))


def _frame(colours: list[tuple[float | None, float | None]]) -> pl.DataFrame:
    return pl.DataFrame(colours, schema=dict.fromkeys(NEEDS, pl.Float64), orient="row")


def test_angles() -> None:
    # L 60 and b 10: atan2(10, 10) = 45 degrees. L 50: 0. L 40 and b 10: -45.
    angles = _frame([(60, 10), (50, 26), (40, 10)]).select(typology_angle()).to_series().to_list()
    assert angles == pytest.approx([45, 0, -45])


@pytest.mark.parametrize(
    ("angle", "name"),
    [
        (80, "very light"), (55.1, "very light"), (54.9, "light"), (41.1, "light"), (40.9, "intermediate"),
        (28.1, "intermediate"), (27.9, "tan"), (10.1, "tan"), (9.9, "brown"), (-29.9, "brown"), (-30.1, "dark"),
        (-80, "dark"),
    ],
)  # fmt: skip
def test_classes(angle: float, name: str) -> None:
    assert _frame([_at(angle)]).select(skin_tone()).item() == name


def test_a_missing_colour_has_no_class() -> None:
    assert _frame([(None, 20.0), (60.0, None)]).select(skin_tone()).to_series().to_list() == [None, None]
