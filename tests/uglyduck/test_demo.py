"""What `make demo` left in its folder, where it has run, as in the gate: README's picture, and a report to print."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.submissions.report.browser import LACKING, open_browser

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "demo"
pytestmark = pytest.mark.skipif(not (DEMO / "overview.svg").is_file(), reason="no demo: make demo")
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def _elements(path: Path) -> list[tuple[str, str | None, str]]:
    """Name, class and words of each element of a picture, without its numbers."""
    drawn = ET.parse(path).getroot().iter()  # noqa: S314 - our own file
    return [(part.tag, part.get("class"), NUMBER.sub("#", part.text or "")) for part in drawn]


def _numbers(path: Path) -> list[float]:
    words = " ".join(part.text or "" for part in ET.parse(path).getroot().iter() if "text" in part.tag)  # noqa: S314
    return [float(number.replace(",", "")) for number in NUMBER.findall(words)]


def test_the_picture_of_the_readme_is_that_of_the_demo() -> None:
    """Element by element and word by word; numbers as far as processors agree, whose last bits may move a score."""
    shown, drawn = ROOT / "docs/pictures/overview.svg", DEMO / "overview.svg"
    assert _elements(shown) == _elements(drawn), "make pictures; or make demo again, where that is older"
    assert _numbers(shown) == pytest.approx(_numbers(drawn), rel=0.05, abs=0.01)
    assert len(_numbers(drawn)) > 20


@pytest.mark.skipif(bool(LACKING), reason=LACKING)
@pytest.mark.xdist_group("browser")
def test_the_report_prints_on_at_most_twelve_sheets() -> None:
    with open_browser() as browser:
        browser.show(DEMO / "report.html", width=1400)
        assert browser.printed_pages() <= 12
