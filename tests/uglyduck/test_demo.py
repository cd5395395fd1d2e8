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
CURVE = "The scored region of the ROC curve"


def _words(path: Path) -> list[str]:
    parts = ET.parse(path).getroot().iter()  # noqa: S314 - our own file
    return [part.text.strip() for part in parts if (part.text or "").strip() and not part.tag.endswith("style")]


def _numbers(words: list[str]) -> list[float]:
    return [float(number.replace(",", "")) for number in NUMBER.findall(" ".join(words))]


def test_the_picture_of_the_readme_is_that_of_the_demo() -> None:
    """The cohort to the letter; curves and figures as far as processors agree; which lesion is flagged they decide."""
    shown, drawn = _words(ROOT / "docs/pictures/overview.svg"), _words(DEMO / "overview.svg")
    assert shown[0] == drawn[0], "make pictures; or make demo again, where that is older"
    assert "patients" in drawn[0]
    ours, theirs = shown[shown.index(CURVE) :], drawn[drawn.index(CURVE) :]
    assert [NUMBER.sub("#", word) for word in ours] == [NUMBER.sub("#", word) for word in theirs]
    assert _numbers(ours) == pytest.approx(_numbers(theirs), rel=0.15, abs=0.03)


@pytest.mark.skipif(bool(LACKING), reason=LACKING)
def test_the_report_prints_on_at_most_twelve_sheets() -> None:
    with open_browser() as browser:
        browser.show(DEMO / "report.html", width=1400)
        assert browser.printed_pages() <= 12
