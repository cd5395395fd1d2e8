"""Scales and pictures by hand."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from submissions.report import charts
from submissions.report.svg import PlotScale, number, tag


def test_text_and_attributes_are_escaped() -> None:
    assert tag("text", "a < b", class_='x"y', text_anchor="end") == (
        '<text class="x&#34;y" text-anchor="end">a &lt; b</text>'
    )


def test_scale_and_ticks() -> None:
    scale = PlotScale(0, 10, 100, 200)
    assert [scale(value) for value in (0, 2.5, 10, 99, -1)] == [100, 125, 200, 200, 100]
    assert scale.ticks() == [0, 2, 4, 6, 8, 10]
    assert PlotScale(0.8, 1, 0, 1).ticks() == pytest.approx([0.8, 0.85, 0.9, 0.95, 1.0])


def test_logarithmic_scale() -> None:
    scale = PlotScale(0.001, 1, 0, 300, logarithmic=True)
    assert [scale(value) for value in (0.001, 0.01, 0.1, 1)] == [0, 100, 200, 300]
    assert scale(0) == 0, "nothing stands at the low end"
    assert scale.ticks() == pytest.approx([0.001, 0.01, 0.1, 1])


@pytest.mark.parametrize(
    ("value", "text"), [(0.001, "0.001"), (1e-5, "10⁻⁵"), (-2.5, "−2.5"), (0, "0"), (5000, "5000")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


def test_the_region_is_shaded_right_of_the_curve() -> None:
    # Sensitivity 1 with half of the benign flagged: the region from x = 0.5 to 1, y = 0.8 to 1.
    roc = {
        "corners": [[0, 0], [0.5, 0], [0.5, 1], [1, 1]],
        "min_sensitivity": 0.8,
        "pauc": {"estimate": 0.1},
    }
    picture = ET.fromstring(str(charts.roc_chart(roc)))  # noqa: S314 - our own text
    area = next(each for each in picture if each.get("class") == "area")
    assert area.get("d") == "M202 52L202 10L348 10L348 52Z"
    assert picture.findtext("title") == "ROC curve"
    assert "0.1000" in str(picture.findtext("desc"))


def test_a_bar_marks_what_is_known() -> None:
    cell = {"estimate": 0.5, "low": None, "high": None}
    drawn = charts.bar(cell, 0.0, 1.0, reference=0.25)
    assert "whisker" not in drawn
    assert 'cx="50.0"' in drawn
    assert charts.span([cell], 0.9) == (0.5, 0.9)
    assert charts.span([]) == (0.0, 1.0)
