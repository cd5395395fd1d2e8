"""A run in one picture: an ugly duckling, the scored region of the curve, and what a short list finds."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from submissions.report import formats
from submissions.report.charts import curve_chart, region_chart, reliability_chart, strip_chart
from submissions.report.svg import HEIGHT, WIDTH, tag

_GAP, _CHART_TOP, _LINE = 28, 84, 19
_WORDS = 52  # characters of a line below a chart
# Colours follow the reader's setting, as on the page.
_STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1c2024; --quiet: #565f68; --rule: #d9d6cf;
  --strong: #8a8780; --accent: #0b5f8a; --area: #0b5f8a2e; --flag: #b3261e; --other: #6f7a84; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #15181b; --ink: #e9ebed; --quiet: #a9b2ba; --rule: #363c42; --strong: #7d868e;
    --accent: #79c0ea; --area: #79c0ea38; --flag: #ff8f85; --other: #93a0ab; }
}
text { font: 14px system-ui, sans-serif; fill: var(--ink); }
.title { font-size: 17px; font-weight: 600; }
.head { font-weight: 600; }
.quiet, .chart text { fill: var(--quiet); }
.chart text { font-size: 11.5px; }
.chart .label { fill: var(--ink); font-size: 12px; }
.paper { fill: var(--paper); }
.grid { stroke: var(--rule); }
.line { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; }
.area { fill: var(--area); }
.chance { fill: none; stroke: var(--strong); stroke-dasharray: 4 4; }
.whisker { stroke: var(--accent); stroke-width: 1.6; }
.dot { fill: var(--accent); stroke: var(--accent); }
.dot.none { fill: var(--paper); }
.other { fill: var(--other); fill-opacity: .6; }
.flag { fill: var(--flag); }
.halo { fill: none; stroke: var(--flag); stroke-width: 1.5; }
"""


def poster(report: Mapping[str, Any]) -> str:
    """Draw a report's three main pictures beside each other.

    Args:
        report: As `building.build_report` gives it.

    Returns:
        An SVG document that loads nothing; its first line says whether the data are simulated.
    """
    panels = [*_panels(report)]
    width = len(panels) * (WIDTH + _GAP) + _GAP
    height = _CHART_TOP + HEIGHT + max(len(_below(panel)) for panel in panels) * _LINE + _GAP
    overview = report["overview"]
    title = (
        f"{_ORIGIN[report['origin']['kind']]}: {formats.count(overview['lesions'])} lesions of "
        f"{formats.count(overview['patients'])} patients, {formats.count(overview['malignant'])} malignant, scored out "
        "of fold"
    )
    drawn = tag(
        "svg",
        tag("title", title, id="title"),
        tag("style", Markup(_STYLE)),  # noqa: S704 - a constant of ours
        tag("rect", class_="paper", width=width, height=height, rx=10),
        tag("text", title, class_="title", x=_GAP, y=36),
        *(_placed(panel, _GAP + place * (WIDTH + _GAP)) for place, panel in enumerate(panels)),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_labelledby="title",
    )
    return f"{drawn}\n"


_ORIGIN = {"simulated": "Simulated cohort", "real": "Real data", "unknown": "Data of unknown origin"}

_Panel = tuple[str, Markup, str]
"""Heading, chart, and what stands below."""


def _panels(report: Mapping[str, Any]) -> Iterator[_Panel]:
    if (duckling := _duckling(report["gallery"])) is not None:
        words = f"{duckling['reasons'][0]}; rank 1 of {duckling['of']} lesions"
        yield "An ugly duckling among its patient's lesions", strip_chart(duckling["strip"], key="duckling"), words
    pauc = report["roc"]["pauc"]
    yield (
        "The scored region of the ROC curve",
        region_chart(report["roc"]),
        f"pAUC {formats.estimate(pauc)} ({formats.ends(pauc)}) of at most 0.2",
    )
    if report["curves"]:
        points = [{"x": point["k"], **point} for point in report["curves"]["setopk"]]
        chart = curve_chart(
            "Retrieval by length of the list", "lesions on the list (k)", "share found", points, key="k", top=1
        )
        at = next((point for point in points if point["x"] == 15), points[-1])
        words = (
            f"the first {at['x']} of a patient's lesions hold {formats.estimate(at, 0, percent=True)} of the malignant"
            f" ones, {formats.ends(at, 0, percent=True)}"
        )
        yield "What a short list finds", chart, words
    elif report["calibration"]["bins"]:
        yield "Does a stated risk come true?", reliability_chart(report["calibration"]["bins"]), "on the line it does"


def _duckling(gallery: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first whose patient has something to show."""
    return next((entry for entry in gallery if entry["strip"] is not None), None)


def _below(panel: _Panel) -> list[str]:
    return textwrap.wrap(panel[2], _WORDS)


def _placed(panel: _Panel, x: float) -> Markup:
    heading, chart, _ = panel
    box: dict[str, str | float] = {"width": WIDTH, "height": HEIGHT, "viewBox": f"0 0 {WIDTH} {HEIGHT}"}
    first = _CHART_TOP + HEIGHT + _LINE
    return Markup().join(
        [
            tag("text", heading, class_="head", x=x, y=_CHART_TOP - 14),
            tag("svg", chart, x=x, y=_CHART_TOP, **box),
            *(
                tag("text", line, class_="quiet", x=x, y=first + place * _LINE)
                for place, line in enumerate(_below(panel))
            ),
        ]
    )
