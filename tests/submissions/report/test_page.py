"""The page as a text: whole, closed to the outside, escaped, and saying what the metrics say."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from submissions.report.building import COMMANDS, pictured
from submissions.report.page import render_page
from tests.submissions.report.conftest import HOSTILE

SECTIONS = (
    "overview", "region", "learners", "ablation", "calibration", "folds", "fairness", "curves", "gallery", "mistakes",
    "explanation", "findings", "provenance",
)  # fmt: skip
VOID = {"meta", "link", "img", "br", "hr", "input"}
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACw="


class Page(HTMLParser):
    """Tags in order, attributes, text of each element with a `data-figure`; refuses crossed tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.figures: dict[str, str] = {}
        self.words: list[str] = []
        self._open: list[str] = []
        self._figure: str | None = None
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag not in VOID:
            self._open.append(tag)
        self._figure = found.get("data-figure") or self._figure

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, self.getpos()
        if tag == "dd":
            self._figure = None

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._figure:
            self.figures[self._figure] = self.figures.get(self._figure, "") + data

    def values(self, name: str) -> list[str]:
        return [value for _, found in self.tags if (value := found.get(name)) is not None]


@pytest.fixture(scope="module", params=["bare", "full", "with crops"])
def page(request: pytest.FixtureRequest, bare: dict[str, Any], full: dict[str, Any]) -> str:
    report = bare if request.param == "bare" else full
    return render_page(report, dict.fromkeys(pictured(full), PIXEL) if request.param == "with crops" else {})


def test_it_is_whole_and_every_section_is_linked(page: str) -> None:
    parsed = Page(page)
    ids = parsed.values("id")
    assert len(ids) == len(set(ids))
    assert [name for name in ids if name in SECTIONS] == list(SECTIONS)
    assert {href for href in parsed.values("href") if href.startswith("#")} == {"#main", *(f"#{s}" for s in SECTIONS)}
    assert set(" ".join(parsed.values("aria-labelledby")).split()) <= set(ids)


def test_it_loads_nothing(page: str) -> None:
    parsed = Page(page)
    assert all(url.startswith(("#", "data:")) for name in ("src", "href", "xlink:href") for url in parsed.values(name))
    assert "script" not in {tag for tag, _ in parsed.tags}
    assert not [name for _, found in parsed.tags for name in found if name.startswith("on") or name == "style"]
    assert not re.search(r"@import|url\(", page)
    policy = next(value for value in parsed.values("content") if "default-src" in value)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_text_from_the_data_stays_text(page: str) -> None:
    assert "<script" not in page
    assert HOSTILE not in page
    assert HOSTILE in "".join(Page(page).words)


def test_the_headline_is_what_the_metrics_say(page: str, bare: dict[str, Any]) -> None:
    pooled = bare["overview"]["rows"][0]["pooled"]
    wanted = {name: f"{cell['estimate']:.4f}{cell['low']:.4f} to {cell['high']:.4f}" for name, cell in pooled.items()}
    assert {name: text.replace("\n", "") for name, text in Page(page).figures.items()} == wanted


def test_it_stays_small(page: str) -> None:
    assert len(page.encode()) < 600_000


def test_what_was_not_run_is_said(bare: dict[str, Any], full: dict[str, Any]) -> None:
    said = render_page(bare, {})
    assert all(f"Not run: <code>{command}</code>" in said for command in COMMANDS.values())
    whole = render_page(full, {})
    assert "Not run" not in whole
    assert "never shown" not in whole


@pytest.mark.parametrize(
    ("kind", "badge"),
    [("simulated", "Simulated data"), ("real", "Real data"), ("unknown", "Data of unknown origin")],
)
def test_the_origin_stands_at_the_top(bare: dict[str, Any], kind: str, badge: str) -> None:
    said = render_page(bare | {"origin": {"kind": kind, "why": "so"}}, {})
    assert badge in said[said.index("<header") : said.index("<h1")]


def test_the_dict_is_json(full: dict[str, Any]) -> None:
    assert json.loads(json.dumps(full, allow_nan=False)) == full


def _luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, WCAG 2.2: 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_can_be_told_apart(bare: dict[str, Any]) -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    screen = render_page(bare, {}).split("@media print")[0]
    found = re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", screen)
    light = dict(reversed(found))  # each is set for light first, then for dark
    dark = dict(found)
    assert all(light[name] != dark[name] for name in dark)
    for colours in (light, dark):
        for paper in ("paper", "sheet"):
            assert min(contrast(colours[ink], colours[paper]) for ink in ("ink", "quiet", "accent", "flag")) >= 4.5
        assert contrast(colours["warn-ink"], colours["warn-paper"]) >= 4.5
        assert contrast(colours["strong"], colours["paper"]) >= 3
