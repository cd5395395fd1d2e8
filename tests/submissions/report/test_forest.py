"""The picture parses, names every row and says what is found without colour."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from submissions.report.forest import forest

SVG = "{http://www.w3.org/2000/svg}"


def row(name: str, kind: str, estimate: float, low: float | None, high: float | None) -> dict[str, Any]:
    found = low is not None and high is not None and (low > 0 or high < 0)
    difference = {"estimate": estimate, "low": low, "high": high, "distinguishable": found}
    return {"name": name, "kind": kind, "difference": difference}


ROWS = [
    row("without a & <b>", "without", -0.02, -0.03, -0.01),
    row("without c", "without", 0.001, -0.002, 0.004),
    row("only d", "only", -0.05, None, None),
]


def test_it_is_xml_with_every_name_title_and_description() -> None:
    root = ET.fromstring(forest(ROWS, title="Ablation: <x>", note="simulated data."))  # noqa: S314 - our own
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Ablation: <x>"
    words = [element.text for element in root.iter(f"{SVG}text")]
    described = root.findtext(f"{SVG}desc") or ""
    for each in ROWS:
        assert each["name"] in words
        assert each["name"] in described
    assert "-0.0200 (-0.0300 to -0.0100)" in words
    assert "-0.0500 (too few patients for an interval)" in words


def test_discs_are_finds_and_zero_is_where_it_belongs() -> None:
    root = ET.fromstring(forest(ROWS, title="", note=""))  # noqa: S314 - our own
    circles = [(mark.get("class"), float(mark.get("cx", "nan"))) for mark in root.iter(f"{SVG}circle")]
    assert [kind for kind, _ in circles] == ["found", "open", "open"]
    (zero,) = [float(line.get("x1", "nan")) for line in root.iter(f"{SVG}line") if line.get("class") == "zero"]
    first, second, third = (x for _, x in circles)
    assert third < first < zero < second
    assert abs((zero - third) / (zero - first) - 2.5) < 0.01


def test_equal_scores_still_make_a_picture() -> None:
    root = ET.fromstring(forest([row("same", "only", 0.0, 0.0, 0.0)], title="", note=""))  # noqa: S314 - our own
    assert len(list(root.iter(f"{SVG}circle"))) == 1


def test_a_long_note_stays_on_the_picture() -> None:
    note = "simulated data; " * 40 + "\nA research tool, not a diagnosis."
    root = ET.fromstring(forest(ROWS, title="", note=note))  # noqa: S314 - our own
    texts = [(float(text.get("y", "nan")), text.text or "") for text in root.iter(f"{SVG}text")]
    assert max(len(words) for _, words in texts) <= 140
    assert max(y for y, _ in texts) < float(root.get("height", "nan"))
    assert texts[-1][1] == "A research tool, not a diagnosis."
