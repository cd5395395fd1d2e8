"""The page's charts, each drawn from a section of the report's dict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from submissions.report.svg import Plot, PlotScale, sheet, tag

_LINEAR = (False, False)


def roc_chart(roc: Mapping[str, Any]) -> Markup:
    """The whole ROC curve, the scored region shaded."""
    return _roc(roc, Plot.over((0, 1), (0, 1), logarithmic=_LINEAR), "ROC curve", key="roc-all")


def region_chart(roc: Mapping[str, Any]) -> Markup:
    """The scored region alone."""
    plot = Plot.over((0, 1), (roc["min_sensitivity"], 1), logarithmic=_LINEAR)
    return _roc(roc, plot, "The scored region of the ROC curve, enlarged", key="roc-region")


def _roc(roc: Mapping[str, Any], plot: Plot, title: str, *, key: str) -> Markup:
    corners, low = roc["corners"], roc["min_sensitivity"]
    inside = [[_crossing(corners, low), low], *([x, y] for x, y in corners if y > low), [1, low]]
    description = (
        f"Sensitivity against the share of benign lesions flagged. The shaded region lies right of the curve and above "
        f"{low:.0%} sensitivity; its area is the partial AUC, {roc['pauc']['estimate']:.4f} of at most {1 - low:.1f}."
    )
    seen = [corner for corner in corners if corner[1] >= plot.y.low] if plot.y.low else corners
    return sheet(
        title,
        description,
        plot.axes("benign lesions flagged", "sensitivity"),
        tag("path", class_="area", d=plot.path(inside, closed=True)),
        tag("path", class_="chance", d=plot.path([(plot.y.low, plot.y.low), (1, 1)])),
        tag("path", class_="line", d=plot.path([inside[0], *seen] if plot.y.low else seen)),
        key=key,
    )


def _crossing(corners: Sequence[Sequence[float]], sensitivity: float) -> float:
    """False positive rate at which the curve reaches a sensitivity."""
    place = next(place for place, corner in enumerate(corners) if corner[1] >= sensitivity)
    (x0, y0), (x1, y1) = corners[place - 1], corners[place]
    return float(x0 + (x1 - x0) * (sensitivity - y0) / (y1 - y0)) if y1 > y0 else float(x1)


def reliability_chart(bins: Sequence[Mapping[str, Any]]) -> Markup:
    """Observed share of malignant lesions against the risk that was stated, both on a logarithmic scale."""
    # A bin holds few malignant lesions or none: more than a decade below the smallest share, there is nothing to see.
    floor = 10.0 ** math.floor(math.log10(min(share for each in bins if (share := each["observed"]["estimate"]))) - 1)
    plot = Plot.over((floor, 1), (floor, 1), logarithmic=(True, True))
    marks = []
    for each in bins:
        observed = each["observed"]
        x, y = plot.x(each["mean_risk"]), plot.y(observed["estimate"])
        if observed["low"] is not None:
            marks.append(
                tag("line", class_="whisker", x1=x, x2=x, y1=plot.y(observed["low"]), y2=plot.y(observed["high"]))
            )
        marks.append(tag("circle", class_="dot" if observed["estimate"] else "dot none", cx=x, cy=y, r=4))
    return sheet(
        "Reliability of the risk",
        "Each dot is a group of lesions of similar risk: the stated risk against the share that was malignant. On the "
        "diagonal they agree. A hollow dot at the bottom is a group without a malignant lesion; risks below the scale "
        "stand at its left end.",
        plot.axes("risk stated", "share malignant"),
        tag("path", class_="chance", d=plot.path([(floor, floor), (1, 1)])),
        *marks,
        key="reliability",
    )


def curve_chart(
    title: str, x_label: str, y_label: str, points: Sequence[Mapping[str, Any]], *, key: str, top: float | None = None
) -> Markup:
    """A curve with its interval.

    Args:
        title: Title of the chart.
        x_label: Name of the horizontal axis.
        y_label: Name of the vertical axis.
        points: `x`, `estimate`, `low` and `high`, by ascending x.
        key: Part of its element ids.
        top: Upper end of the vertical axis; None for the largest value.
    """
    known = [point for point in points if point["estimate"] is not None]
    certain = [point for point in known if point["low"] is not None]
    highest = top or max(point[name] for point in known for name in ("estimate", "high") if point[name] is not None)
    ends = (known[0]["x"], known[-1]["x"])
    plot = Plot.over(ends, (0, highest), logarithmic=_LINEAR)
    around = [(p["x"], p["high"]) for p in certain] + [(p["x"], p["low"]) for p in reversed(certain)]
    first, last = known[0], known[-1]
    return sheet(
        title,
        f"{y_label} against {x_label}, from {first['estimate']:.3g} at {first['x']:g} to {last['estimate']:.3g} at "
        f"{last['x']:g}; the band is the interval.",
        plot.axes(x_label, y_label),
        *([tag("path", class_="area", d=plot.path(around, closed=True))] if certain else []),
        tag("path", class_="line", d=plot.path([(p["x"], p["estimate"]) for p in known])),
        key=key,
    )


def strip_chart(strip: Mapping[str, Any], *, key: str) -> Markup:
    """A patient's lesions by two measurements, the flagged one marked."""
    points, flagged = strip["points"], strip["flagged"]
    ranges = [_roomy([point[axis] for point in (*points, flagged)]) for axis in (0, 1)]
    plot = Plot.over(ranges[0], ranges[1], logarithmic=_LINEAR)
    x, y = plot.x(flagged[0]), plot.y(flagged[1])
    labels = [
        f"{axis['label']}, {axis['unit']}" if axis["unit"] else axis["label"] for axis in (strip["x"], strip["y"])
    ]
    return sheet(
        "The flagged lesion among the patient's others",
        f"{len(points) + 1} of the patient's {strip['of']} lesions by {labels[0]} and {labels[1]}. The flagged one "
        f"stands at {flagged[0]:g} and {flagged[1]:g}.",
        plot.axes(*labels),
        *(tag("circle", class_="other", cx=plot.x(a), cy=plot.y(b), r=2.5) for a, b in points),
        tag("circle", class_="halo", cx=x, cy=y, r=9),
        tag("circle", class_="flag", cx=x, cy=y, r=4.5),
        key=key,
    )


def _roomy(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * 0.06 or 1.0
    return low - room, high + room


def bar(cell: Mapping[str, Any], low: float, high: float, reference: float | None = None) -> Markup:
    """An interval as a line in a table cell that also gives the numbers.

    Args:
        cell: estimate, low and high.
        low: Left end of the column's scale.
        high: Right end.
        reference: Where to draw a thin line, such as at everybody's estimate or 0.
    """
    scale = PlotScale(low, high if high > low else low + 1.0, 2, 98)
    parts = []
    if reference is not None:
        parts.append(tag("line", class_="reference", x1=scale(reference), x2=scale(reference), y1=0, y2=10))
    if cell["low"] is not None:
        parts.append(tag("line", class_="whisker", x1=scale(cell["low"]), x2=scale(cell["high"]), y1=5, y2=5))
    if cell["estimate"] is not None:
        parts.append(tag("circle", class_="dot", cx=scale(cell["estimate"]), cy=5, r=2.6))
    return tag("svg", *parts, class_="bar", viewBox="0 0 100 10", aria_hidden="true")


def share_bar(share: float, widest: float) -> Markup:
    """A share as a filled bar in a table cell that also gives the number."""
    filled = tag("rect", class_="share", x=0, y=2, height=6, width=round(100 * share / widest, 1) if widest else 0)
    return tag("svg", filled, class_="bar", viewBox="0 0 100 10", aria_hidden="true")


def points(rows: Sequence[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
    """Rows as points of a curve over their value `key`."""
    return [{**row, "x": row[key]} for row in rows]


def span(cells: Sequence[Mapping[str, Any]], *more: float) -> tuple[float, float]:
    """From the lowest to the highest end of some intervals and further values."""
    keys = ("estimate", "low", "high")
    values = [cell[key] for cell in cells for key in keys if cell[key] is not None] + list(more)
    return (min(values), max(values)) if values else (0.0, 1.0)
