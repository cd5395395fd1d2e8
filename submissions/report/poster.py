"""A run in one picture: an ugly duckling, the scored region of the curve, and what a short list finds."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from cv_folds import formats
from submissions.report.charts import curve_chart, region_chart, reliability_chart, strip_chart
from submissions.report.page import style_sheet
from submissions.report.svg import HEIGHT, WIDTH, document, tag

_GAP, _CHART_TOP, _LINE = 28, 84, 19
_WORDS = 52  # characters per line below a chart


def poster(report: Mapping[str, Any]) -> str:
    """Draw a report's three main pictures side by side.

    Args:
        report: As `building.build_report` returns it.

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
    return document(
        title,
        tag("rect", class_="paper", width=width, height=height, rx=10),
        tag("text", title, class_="title", x=_GAP, y=36),
        *(_placed(panel, _GAP + place * (WIDTH + _GAP)) for place, panel in enumerate(panels)),
        style=style_sheet("poster.css"),
        width=width,
        height=height,
    )


_ORIGIN = {"simulated": "Simulated cohort", "real": "Real data", "unknown": "Data of unknown origin"}

_Panel = tuple[str, Markup, str]
"""Heading, chart, and the text below."""


def _panels(report: Mapping[str, Any]) -> Iterator[_Panel]:
    if (duckling := _duckling(report["gallery"])) is not None:
        words = f"{duckling['reasons'][0]}; rank 1 of {duckling['of']} lesions"
        yield "An ugly duckling among its patient's lesions", strip_chart(duckling["strip"], key="duckling"), words
    pauc = report["roc"]["pauc"]
    yield (
        "The scored region of the ROC curve",
        region_chart(report["roc"]),
        f"pAUC {formats.with_interval(pauc)} of at most 0.2",
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
    """The first entry that has a strip chart to show."""
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
