"""The forest picture: every difference of a comparison with its interval, as a self-contained SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from textwrap import wrap
from typing import Any

from markupsafe import Markup

from cv_folds.formats import with_interval
from cv_folds.metrics import PAUC
from submissions.report.page import style_sheet
from submissions.report.svg import PlotScale, document, tag

_ROW, _LEADING, _TOP, _LABELS, _PLOT, _FIGURES = 26, 18, 64, 330, 420, 290
_WIDTH = _LABELS + _PLOT + _FIGURES
TITLES = {
    "without": "Left out, against all features",
    "pair": "Pairs left out, against all features",
    "only": "Alone, against all features",
    "base plus": "Added to the base, against the base",
    "run": "Another run, against the first",
}
"""The heading above the rows of each kind of variant."""
#: Characters of ordinary text that fit on a line of the picture.
_LINE = 140


def forest(rows: Sequence[Mapping[str, Any]], *, title: str, note: str, metric: str = PAUC.label) -> str:
    """Draw the rows of `ensemble.ablation.comparison.compare`.

    Args:
        rows: In the order in which they are drawn, grouped by kind.
        title: Shown above the picture.
        note: Shown below it: which data, which intervals; long lines are wrapped.
        metric: Name of the metric that differs.

    Returns:
        An SVG document with a title and a description for readers who do not see it. Its colours follow the reader's
        setting; a distinguishable difference is a full disc, any other a ring, so nothing relies on colour.
    """
    scale, drawn, y = _scale(rows), list[Markup](), _TOP
    for kind, alike in groupby(rows, key=lambda row: row["kind"]):
        y += _ROW
        drawn.append(_text(12, y, TITLES[kind], "kind"))
        for row in alike:
            y += _ROW
            drawn += _row(row, y, scale)
    below = [line for part in note.split("\n") for line in wrap(part, _LINE)]
    foot = y + 3 * _ROW
    height = foot + _LEADING * max(len(below), 1)
    said = " ".join(f"{row['name']}: {with_interval(row['difference'], signed=True)}." for row in rows)
    return document(
        title,
        tag("rect", class_="paper", width=_WIDTH, height=height),
        _text(12, 28, title, "title"),
        _text(12, 50, f"Change of {metric}: filled where the interval leaves out 0, open where it covers 0"),
        *_axis(scale, y + _ROW),
        *drawn,
        *(_text(12, foot + _LEADING * place, line) for place, line in enumerate(below)),
        style=style_sheet("forest.css"),
        width=_WIDTH,
        height=height,
        description=f"{note} {said}",
    )


def _scale(rows: Sequence[Mapping[str, Any]]) -> PlotScale:
    ends = [row["difference"][end] for row in rows for end in ("estimate", "low", "high")]
    known = [0.0, *(end for end in ends if end is not None)]
    low, high = (min(known), max(known)) if any(known) else (-0.001, 0.001)
    margin = 0.03 * (high - low)  # no mark lies on the edge
    return PlotScale(low - margin, high + margin, _LABELS, _LABELS + _PLOT)


def _axis(scale: PlotScale, bottom: float) -> Iterator[Markup]:
    first, second, *_ = ticks = scale.ticks()
    exponent = Decimal(f"{second - first:.2g}").as_tuple().exponent
    digits = max(0, -int(exponent))
    for value in ticks:
        x = scale(value)
        yield tag("line", class_="grid" if value else "zero", x1=x, y1=_TOP, x2=x, y2=bottom - 8)
        yield _text(x, bottom + 10, f"{value:+.{digits}f}" if value else "0", "middle")


def _row(row: Mapping[str, Any], y: float, scale: PlotScale) -> Iterator[Markup]:
    found, middle = row["difference"], y - 4.5
    yield _text(24, y, row["name"])
    yield _text(_WIDTH - 12, y, with_interval(found, signed=True), "end")
    if found["low"] is not None:
        yield tag("line", class_="span", x1=scale(found["low"]), x2=scale(found["high"]), y1=middle, y2=middle)
    mark = "found" if found["distinguishable"] else "open"
    yield tag("circle", class_=mark, cx=scale(found["estimate"]), cy=middle, r=4.5)


def _text(x: float, y: float, words: str, kind: str = "plain") -> Markup:
    return tag("text", words, class_=kind, x=x, y=y)
