"""A body from the front and from behind, with lesions as dots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from submissions.report.body import HIGHEST, LOWEST, WIDEST, places
from submissions.report.body_outline import fit, strokes
from submissions.report.svg import tag

_SCALE = 0.4  # units of the drawing per millimetre
WIDTH, HEIGHT = round(2 * WIDEST * _SCALE), round((HIGHEST - LOWEST) * _SCALE)
_TALL, _DIGIT = 8.0, 4.8  # half the height of a number and half the width of a digit
_SMALLEST, _LARGEST, _UNKNOWN = 2.2, 9.0, 3.0
#: The lowest risk of each colour, and its name in the legend.
BANDS: tuple[tuple[float, str], ...] = (
    (0.0, "below 1 in 1,000"),
    (0.001, "1 in 1,000 to 1 in 200"),
    (0.005, "1 in 200 to 1 in 50"),
    (0.02, "1 in 50 to 1 in 10"),
    (0.1, "1 in 10 and more"),
)


def band(risk: float | None) -> int | None:
    """The colour of a risk, 0 to 4; None if it is not known."""
    return None if risk is None else sum(risk >= start for start, _ in BANDS) - 1


def body_dots(lesions: pl.DataFrame) -> dict[str, Any]:
    """What a body map draws, ready for JSON.

    Args:
        lesions: One patient's lesions: `isic_id`, `rank`, `shortlist`, perhaps `risk`, the diameter and what `places`
            reads.

    Returns:
        `front` and `back`, each a list of dots by falling rank with `rank`, `x` and `y` (mm, x as the viewer sees it),
        `mm` (diameter or None), `band` (or None), `listed` and `measured`; `unplaced`, how many are in neither; and
        `outline`, half the width of each part of the body.
    """
    optional = {"risk": pl.Float64, "clin_size_long_diam_mm": pl.Float64}
    known = lesions.select(
        "rank",
        "shortlist",
        *(name if name in lesions.columns else pl.lit(None, dtype).alias(name) for name, dtype in optional.items()),
    )
    found = pl.concat([known, places(lesions).drop("isic_id")], how="horizontal").drop_nulls("view")
    halves, inside = fit(found.select("x", "y").to_numpy())
    found = found.with_columns(x=pl.Series(inside[:, 0]), y=pl.Series(inside[:, 1])).sort("rank", descending=True)
    dots: dict[str, Any] = {"front": [], "back": [], "unplaced": lesions.height - found.height, "outline": halves}
    for row in found.iter_rows(named=True):
        seen = round(row["x"] if row["view"] == "front" else -row["x"], 1)
        kept = {"rank": row["rank"], "x": seen, "y": round(row["y"], 1), "mm": row["clin_size_long_diam_mm"]}
        more = {"band": band(row["risk"]), "listed": row["shortlist"], "measured": row["measured"]}
        dots[row["view"]].append(kept | more)
    return dots


def body_map(dots: Mapping[str, Any], view: str, *, words: Mapping[int, str], key: str, links: bool = True) -> Markup:
    """Draw one side of a body.

    Args:
        dots: As `body_dots` gives them.
        view: "front" or "back".
        words: Labels of listed lesions, by rank.
        key: Part of its element ids; used once per page.
        links: Whether dots are numbered, link to the rows `l-RANK` of the page, and have ids `d-RANK`.
    """
    shown, side = dots[view], {"front": "the front", "back": "behind"}[view]
    listed = [dot for dot in reversed(shown) if dot["listed"]]
    others = [_dot(dot, "", links=links) for dot in shown if not dot["listed"]]
    numbered = zip(listed, _labels(listed), strict=True)
    flagged = [_dot(dot, words.get(dot["rank"], ""), at=at, links=links) for dot, at in numbered]
    title = f"The body from {side}: {len(shown)} lesions, {len(listed)} of the short list"
    return tag(
        "svg",
        tag("title", title, id=f"{key}-title"),
        _outline(dots["outline"]),
        tag("g", *others, aria_hidden="true"),
        *flagged,
        class_="body",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="group",
        aria_labelledby=f"{key}-title",
    )


def _outline(halves: Sequence[float]) -> Markup:
    """Draw everything slightly thicker in the colour of the edge, then again in that of the body."""
    turned = f"matrix({_SCALE} 0 0 {-_SCALE} {WIDTH / 2:g} {HIGHEST * _SCALE:g})"
    layers = [
        tag("path", d=path, stroke_width=f"{width + more:g}", class_=name)
        for name, more in (("edge", 8), ("skin", 0))
        for width, path in strokes(halves)
    ]
    return tag("g", *layers, transform=turned, aria_hidden="true")


def _at(dot: Mapping[str, Any]) -> tuple[float, float, float]:
    """Where a dot is in the drawing, and its radius."""
    radius = _UNKNOWN if dot["mm"] is None else min(max(1.0 + 0.6 * dot["mm"], _SMALLEST), _LARGEST)
    return WIDTH / 2 + dot["x"] * _SCALE, (HIGHEST - dot["y"]) * _SCALE, radius


def _dot(dot: Mapping[str, Any], words: str, *, at: tuple[float, float] | None = None, links: bool) -> Markup:
    x, y, radius = _at(dot)
    colour = "rank" if dot["band"] is None else f"b{dot['band']}"
    named: dict[str, str | float] = {"id": f"d-{dot['rank']}"} if links else {}
    circle = tag(
        "circle",
        class_=f"{colour} {'listed' * dot['listed']}".strip(),
        cx=f"{x:.1f}",
        cy=f"{y:.1f}",
        r=f"{radius:.1f}",
        **named,
    )
    if not links:
        return circle
    if at is None:
        return tag("a", circle, href=f"#l-{dot['rank']}", tabindex=-1)
    label = tag("text", str(dot["rank"]), x=f"{at[0]:.1f}", y=f"{at[1] + 5:.1f}", text_anchor="middle")
    return tag("a", circle, label, href=f"#l-{dot['rank']}", aria_label=words)


def _labels(listed: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
    """Where each number goes: beside its dot, and clear of other listed dots and numbers if there is room."""
    dots = [_at(dot) for dot in listed]
    taken: list[tuple[float, float, float]] = []
    for dot, (x, y, radius) in zip(listed, dots, strict=True):
        half = 2 + _DIGIT * len(str(dot["rank"]))
        ring = [
            (x + dx * far * (radius + half + 1), y + dy * far * (radius + _TALL + 1), half)
            for far in (1, 1.5, 2.2)
            for dx, dy in _AROUND
        ]
        taken.append(min(ring, key=lambda at: _crowding(at, taken, dots)))
    return [(x, y) for x, y, _ in taken]


_AROUND = ((1, 0), (-1, 0), (0, -1), (0, 1), (0.8, -0.8), (-0.8, -0.8), (0.8, 0.8), (-0.8, 0.8))


def _crowding(
    at: tuple[float, float, float],
    taken: Sequence[tuple[float, float, float]],
    dots: Sequence[tuple[float, float, float]],
) -> int:
    numbers = sum(abs(at[0] - x) < at[2] + half and abs(at[1] - y) < 2 * _TALL for x, y, half in taken)
    marks = sum(abs(at[0] - x) < at[2] + r and abs(at[1] - y) < _TALL + r for x, y, r in dots)
    return 2 * numbers + marks
