"""Pages of patients: what they say, and how they behave in a real browser."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cohort.frames import join_by_id
from cohort.simulator import simulate
from cohort.stores.opening import open_store
from submissions.patients.writing import Pages
from submissions.ranking import rank_lesions
from submissions.reasons import reasons
from submissions.report.body import places
from submissions.report.body_map import body_dots
from submissions.report.body_outline import PARTS, strokes
from submissions.risk_words import risk_as_number, risk_in_words
from submissions.shortlist import Shortlist
from submissions.suitability import Caution
from tests.submissions.report.browser import LACKING, Browser
from tests.submissions.report.conftest import LONG
from tests.submissions.report.test_page import Page

needs_browser = pytest.mark.skipif(bool(LACKING), reason=LACKING)
NEEDED = ("clin_size_long_diam_mm", "tbp_lv_L", "age_approx", "tbp_lv_location")
ABOUT = {"run": "trial", "scores": "out of fold", "simulated": True, "prevalence": "1 in 20"}
NUMBERS = (
    "(title => [...document.getElementById(title).parentNode.querySelectorAll('text')].map(e => e.getBBox())"
    ".map(b => [b.x + 1, b.y + 2, b.x + b.width - 1, b.y + b.height - 2]))"
)
HOSTILE = "<script>alert(1)</script>"


def ranked_lesions(count: int, patients: int) -> pl.DataFrame:
    """Simulated lesions, ranked, with reasons."""
    frame = simulate(count, seed=6, malignant=max(2, count // 100)).metadata.drop("target")
    frame = frame.with_columns(patient_id=pl.concat_str(pl.lit("IP_"), (pl.int_range(pl.len()) % patients).cast(str)))
    frame = frame.sort("patient_id", "isic_id")
    risk = np.random.default_rng(0).beta(0.4, 30, frame.height)
    scores = frame.select("isic_id", "patient_id", score=pl.Series(risk) ** 0.5, risk=pl.Series(risk))
    ranked = join_by_id(rank_lesions(scores), reasons(frame))
    withheld = ranked.with_columns(risk_withheld=pl.lit(None, pl.String))
    return join_by_id(withheld, frame.drop("patient_id"))


@pytest.fixture(scope="module")
def lesions() -> pl.DataFrame:
    return ranked_lesions(400, 2)


@pytest.fixture(scope="module")
def pages(lesions: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """Crops of all lesions but the last ones of the table."""
    folder = tmp_path_factory.mktemp("crops")
    for place, name in enumerate(lesions["isic_id"].head(380)):
        Image.new("RGB", (90, 90), (120 + place % 100, 90, 70)).save(folder / f"{name}.jpg")
    return Pages(ABOUT, Shortlist.top(), [], NEEDED, open_store(folder))


Write = Callable[[Pages, pl.DataFrame], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write pages into an empty folder."""

    def call(pages: Pages, lesions: pl.DataFrame) -> Path:
        pages.write(lesions, tmp_path, first=None, made_from={})
        return tmp_path

    return call


def first_page(folder: Path) -> Path:
    return folder / next(iter(json.loads((folder / "patients.json").read_text("utf-8"))["pages"].values()))


def test_pages_are_whole_closed_and_say_what_they_are(pages: Pages, lesions: pl.DataFrame, write: Write) -> None:
    folder = write(pages, lesions)
    for path in [folder / "index.html", *sorted((folder / "patients").iterdir())]:
        text = path.read_text("utf-8")
        page = Page(text)
        assert "not a diagnosis" in text.lower()
        assert "Simulated data" in text
        assert not re.search(r"(src|href)=\"?(https?:)?//", text)
        assert all(value.startswith("data:") for value in page.values("src"))
        ids = page.values("id")
        assert len(set(ids)) == len(ids)
        assert {value[1:] for value in page.values("href") if value.startswith("#")} <= set(ids)
    text = first_page(folder).read_text("utf-8")
    assert text.count('class="near"') == 15
    assert "The short list ends here:</strong> the first 15 lesions of each patient" in text
    assert "promises nothing about what it leaves out" in text


def test_what_is_missing_unusual_or_withheld_is_said(pages: Pages, lesions: pl.DataFrame, write: Write) -> None:
    why = f"scores lie apart {HOSTILE}"
    odd = lesions.with_columns(
        risk=pl.lit(None, pl.Float64),
        risk_withheld=pl.lit(why),
        age_approx=pl.lit(None, pl.Float64),
        clin_size_long_diam_mm=pl.when(pl.col("rank") == 1).then(99.0).otherwise("clin_size_long_diam_mm"),
    )
    text = first_page(write(replace(pages, cautions=[Caution(why, withholds=True)]), odd)).read_text("utf-8")
    assert "Risks are withheld:" in text
    assert HOSTILE not in text
    assert "about 1 in" not in text.split("How to read this")[0]
    assert "empty for every lesion, counted as missing: age_approx" in text
    assert "clin_size_long_diam_mm lies outside 0 to 50 mm for 1 lesions" in text


def test_pages_that_are_no_longer_meant_go_and_nothing_else_does(
    pages: Pages, lesions: pl.DataFrame, write: Write
) -> None:
    folder = write(pages, lesions)
    (folder / "patients" / "mine.html").write_text("mine")
    one = lesions.filter(pl.col("patient_id") == "IP_1").with_columns(patient_id=pl.lit("../x"))
    write(pages, one)
    left = sorted(path.name for path in (folder / "patients").iterdir())
    assert len(left) == 2
    assert "mine.html" in left


def test_every_place_is_on_the_side_its_location_says(lesions: pl.DataFrame) -> None:
    """Coordinates or not, mirrored or not, feet at 0 or a metre below."""
    one = lesions.filter(pl.col("patient_id") == "IP_0")
    flipped = one.with_columns(tbp_lv_x=-pl.col("tbp_lv_x"), tbp_lv_y=pl.col("tbp_lv_y") - 1_100)
    bare = one.with_columns(tbp_lv_x=pl.lit(None, pl.Float64))
    for frame in (one, flipped, bare):
        found = join_by_id(places(frame), one.select("isic_id", location="tbp_lv_location"))
        known = found.filter(pl.col("location") != "Unknown")
        assert known["view"].null_count() == 0
        front = known.filter(pl.col("location").str.starts_with("Torso Front"))
        assert set(front["view"]) == {"front"}
        arms = known.filter(pl.col("location").str.contains("Left Arm"))
        assert arms["x"].mean() > 50  # type: ignore[operator]
        head = known.filter(pl.col("location").str.starts_with("Head"))
        assert head["y"].mean() > 1_350  # type: ignore[operator]
    assert places(one)["x"].to_list() == pytest.approx(places(flipped)["x"].to_list(), abs=0.2)
    nothing = places(one.select("isic_id"))
    assert nothing["view"].null_count() == one.height


def test_every_lesion_is_drawn_inside_the_outline(lesions: pl.DataFrame) -> None:
    """Also those of a body that is held otherwise, and the outline grows no wider than a body is."""
    one = lesions.filter(pl.col("patient_id") == "IP_0")
    for stretch in (1.0, 1.3):
        body = body_dots(one.with_columns(pl.col("tbp_lv_x") * stretch))
        dots = [(dot["x"], dot["y"]) for view in ("front", "back") for dot in body[view]]
        assert len(dots) + body["unplaced"] == one.height
        beyond = np.stack([_distances(path, np.array(dots)) - width / 2 for width, path in strokes(body["outline"])])
        assert beyond.min(axis=0).max() < 0
        assert all(part.least <= half <= part.most for half, part in zip(body["outline"], PARTS, strict=True))


def _distances(path: str, places: np.ndarray) -> np.ndarray:
    """From each place to the nearest point of a path of straight lines, in mm."""
    lines = [np.array([point.split() for point in line.split("L")], float) for line in path.split("M")[1:]]
    points = np.concatenate(
        [a + np.linspace(0, 1, 200)[:, None] * (b - a) for ends in lines for a, b in pairwise(ends)]
    )
    return np.linalg.norm(places[:, None] - points, axis=2).min(axis=1)


@given(st.floats(0, 1))
def test_a_risk_in_words_is_near_the_number(risk: float) -> None:
    words = risk_in_words(risk)
    assert risk_as_number(risk).endswith("%")
    if words.startswith("about"):
        part, whole = (int(each.replace(",", "")) for each in words.removeprefix("about ").split(" in "))
        assert part / whole == pytest.approx(risk, rel=0.23)
    else:
        assert risk < 1e-4 or risk > 0.95


@needs_browser
@pytest.mark.parametrize("width", [1400, 390])
def test_a_dot_and_its_row_are_one(
    browser: Browser, pages: Pages, lesions: pl.DataFrame, write: Write, width: int
) -> None:
    caution = Caution(f"attribution: '{LONG}' never seen in training")
    path = first_page(write(replace(pages, cautions=[caution]), lesions))
    browser.show(path, width=width, dark=width == 390)
    assert browser.evaluate("document.documentElement.scrollWidth") == width, "the page scrolls sideways"
    for side in ("front", "back"):
        boxes = browser.evaluate(f"{NUMBERS}('map-{side}-title')")
        assert len(boxes) > 2
        pairs = [(a, b) for a, b in combinations(boxes, 2) if all(a[k] < b[k + 2] and b[k] < a[k + 2] for k in (0, 1))]
        assert not pairs, "numbers cover each other"
    browser.driver.execute_script("document.getElementById('d-3').parentNode.dispatchEvent(new MouseEvent('click'))")
    _until(browser, "document.getElementById('l-3').classList.contains('chosen')")
    assert browser.evaluate("document.getElementById('d-3').classList.contains('chosen')")
    assert browser.evaluate("document.activeElement.id") == "l-3"
    browser.driver.execute_script("document.querySelector('#l-2 .place').click()")
    assert browser.evaluate("[...document.querySelectorAll('.chosen')].map(e => e.id).sort()") == ["d-2", "l-2"]
    assert browser.evaluate("document.activeElement.getAttribute('href')") == "#l-2", "the keyboard is on the dot"
    browser.key("Enter")
    _until(browser, "document.activeElement.id == 'l-2'")
    browser.driver.execute_script("document.getElementById('d-60').parentNode.dispatchEvent(new MouseEvent('click'))")
    _until(browser, "document.querySelector('details.rest').open")
    assert browser.evaluate("document.activeElement.id") == "l-60"
    assert browser.complaints() == []
    asked = {url[:5] for url in browser.asked()}
    assert "file:" in asked  # the page itself: the log works
    assert asked <= {"file:", "data:"}


@needs_browser
def test_a_keyboard_reaches_the_short_list_and_the_search_finds(
    browser: Browser, pages: Pages, lesions: pl.DataFrame, write: Write
) -> None:
    folder = write(pages, lesions)
    browser.show(first_page(folder), width=1400)
    focusable = "[...document.querySelectorAll('svg.body a')].filter(a => a.tabIndex == 0)"
    names = browser.evaluate(f"{focusable}.map(a => a.getAttribute('aria-label'))")
    assert sorted(int(name.split()[1].strip(",")) for name in names) == list(range(1, 16))
    assert all("risk" in name for name in names)
    browser.show(folder / "index.html", width=390)
    assert browser.evaluate("document.documentElement.scrollWidth") == 390
    browser.driver.find_element("css selector", "input[type=search]").send_keys("_1")
    shown = "[...document.querySelectorAll('tbody tr:not([hidden])')].map(e => e.dataset.patient)"
    assert browser.evaluate(shown) == ["IP_1"]
    assert browser.evaluate("document.getElementById('found').textContent") == "1 of 2 patients"


@needs_browser
def test_a_page_prints_on_two_sheets(browser: Browser, pages: Pages, lesions: pl.DataFrame, write: Write) -> None:
    for limit in (15, 60):
        listed = lesions.with_columns(shortlist=pl.col("rank") <= limit)
        browser.show(first_page(write(replace(pages, shortlist=Shortlist.top(limit)), listed)), width=1400)
        assert browser.printed_pages() <= 2


def _until(browser: Browser, condition: str) -> None:
    deadline = time.monotonic() + 20
    while not browser.evaluate(condition):
        assert time.monotonic() < deadline, condition
        time.sleep(0.05)
