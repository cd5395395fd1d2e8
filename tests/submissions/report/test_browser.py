"""The page in a real browser, where there is one."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from submissions.report.building import pictured
from submissions.report.page import render_page
from tests.submissions.report.browser import LACKING, Browser
from tests.submissions.report.test_page import PIXEL, SECTIONS

pytestmark = pytest.mark.skipif(bool(LACKING), reason=LACKING)
BOX = """(name => { const r = document.getElementById(name).getBoundingClientRect();
return {x: 0, y: r.y + scrollY, width: innerWidth, height: Math.min(r.height, 1500)}; })"""
OVERFLOWING = """[...document.querySelectorAll('th, td, .card, h3')].filter(e => e.scrollWidth > e.clientWidth + 1)
.map(e => e.textContent.trim().slice(0, 80))""".replace("\n", "")


@pytest.fixture(scope="module")
def path(full: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("page") / "report.html"
    written.write_text(render_page(full, dict.fromkeys(pictured(full), PIXEL)), "utf-8")
    return written


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (360, False), (360, True), (320, False)])
def test_every_section_is_seen_and_nothing_is_asked_for(browser: Browser, path: Path, width: int, dark: bool) -> None:
    browser.show(path, width=width, dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") == width, "the page scrolls sideways"
    assert browser.evaluate(OVERFLOWING) == [], "text runs out of its cell"
    for name in SECTIONS:
        picture = Image.open(io.BytesIO(browser.picture(browser.evaluate(f"{BOX}('{name}')")))).convert("L")
        low, high = picture.getextrema()
        assert picture.height > 40, name
        assert isinstance(low, int) and isinstance(high, int) and high - low > 100, f"{name} is blank"  # noqa: PT018
        assert (picture.getpixel((0, 0)) < 128) == dark  # type: ignore[operator]  # one channel: a number
    assert browser.complaints() == []
    asked = {url[:5] for url in browser.asked()}
    assert "file:" in asked  # the page itself: the log works
    assert asked <= {"file:", "data:"}


def test_a_keyboard_is_enough(browser: Browser, path: Path) -> None:
    browser.show(path, width=1280)
    browser.key("Tab")
    assert browser.evaluate("document.activeElement.className") == "skip"
    assert browser.evaluate("document.activeElement.getBoundingClientRect().left") == 0, "the skip link shows"
    browser.key("Enter")
    assert browser.evaluate("location.hash") == "#main"
    browser.driver.execute_script("document.querySelector('summary').focus()")
    assert browser.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.key("Enter")
    assert browser.evaluate("document.querySelector('details').open")


def test_a_foreign_picture_is_refused(browser: Browser, path: Path, tmp_path: Path) -> None:
    """The policy is not a decoration: what slips into the page is not loaded."""
    slipped = tmp_path / "slipped.html"
    (tmp_path / "x.png").write_bytes(b"")
    text = path.read_text("utf-8").replace("</main>", '<img src="x.png"><script>window.slipped = 1</script></main>')
    slipped.write_text(text, "utf-8")
    browser.show(slipped, width=1280)
    assert browser.evaluate("window.slipped") is None
    assert len([line for line in browser.complaints() if "Content Security Policy" in line]) >= 2


def test_it_prints_on_few_pages_and_shows_where_it_scrolls(browser: Browser, path: Path) -> None:
    browser.show(path, width=390)
    assert browser.printed_pages() <= 12
    wide = "[...document.querySelectorAll('.scroll')].find(e => e.scrollWidth > e.clientWidth)"
    assert "radial-gradient" in browser.evaluate(f"getComputedStyle({wide}).backgroundImage")
