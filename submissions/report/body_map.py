"""A body from the front and from behind, with lesions as dots.

The outline is our own: a few thick strokes for head, trunk and limbs, widened where lesions lie beside them. What lies
further away, since this body is held otherwise or is larger, is drawn at the edge.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import polars as pl
from markupsafe import Markup

from submissions.report.body import HIGHEST, LOWEST, WIDEST, places
from submissions.report.svg import tag

_SCALE = 0.4  # units of the drawing a millimetre
WIDTH, HEIGHT = round(2 * WIDEST * _SCALE), round((HIGHEST - LOWEST) * _SCALE)
_LABEL = 8.5  # half the height of a number's box
_SMALLEST, _LARGEST, _UNKNOWN = 2.2, 9.0, 3.0
_CELL = 40.0  # mm; lesions nearer than this share a dot of the outline
#: Strokes in mm: width, and points as x, y.
_BODY: tuple[tuple[float, str], ...] = (
    (190, "M0 1640h0"),
    (110, "M0 1600L0 1470"),
    (100, "M-150 1400L150 1400L105 1160L120 950L-120 950L-105 1160Z"),
    (82, "M-190 1390L-275 1150L-370 890M190 1390L275 1150L370 890"),
    (125, "M-95 900L-145 500L-150 60M95 900L145 500L150 60"),
)
_JOINTS: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0, 1680), (0, 1470)),
    ((-110, 1390), (110, 1390)),
    ((-50, 1390), (-50, 950)),
    ((50, 1390), (50, 950)),
    *(((side * 190, 1390), (side * 275, 1150), (side * 370, 890)) for side in (-1, 1)),
    *(((side * 95, 900), (side * 145, 500), (side * 150, 60)) for side in (-1, 1)),
)
_FLESH = 62.0  # mm
#: Points on the bones, every few centimetres.
_BONES = [
    (a[0] + (b[0] - a[0]) * step / 12, a[1] + (b[1] - a[1]) * step / 12)
    for line in _JOINTS
    for a, b in pairwise(line)
    for step in range(13)
]
#: Risks from which a colour begins, and how the legend calls it.
BANDS: tuple[tuple[float, str], ...] = (
    (0.0, "below 1 in 1,000"),
    (0.001, "1 in 1,000 to 1 in 200"),
    (0.005, "1 in 200 to 1 in 50"),
    (0.02, "1 in 50 to 1 in 10"),
    (0.1, "1 in 10 and more"),
)


def band(risk: float | None) -> int | None:
    """Which colour a risk has, 0 to 4; None where it is not known."""
    return None if risk is None else sum(risk >= start for start, _ in BANDS) - 1


def body_dots(lesions: pl.DataFrame) -> dict[str, Any]:
    """What a body map draws, ready for JSON.

    Args:
        lesions: One patient's: `isic_id`, `rank`, `shortlist`, perhaps `risk`, the diameter and what `places` reads.

    Returns:
        `front` and `back`, each a list of dots by falling rank with `rank`, `x` and `y` (mm, x as the viewer sees it),
        `mm` (diameter or None), `band` (or None), `listed` and `measured`; and `unplaced`, how many are on neither.
    """
    found = places(lesions).drop("isic_id")
    optional = {"risk": pl.Float64, "clin_size_long_diam_mm": pl.Float64}
    known = lesions.select(
        "rank",
        "shortlist",
        *(name if name in lesions.columns else pl.lit(None, dtype).alias(name) for name, dtype in optional.items()),
    )
    dots: dict[str, Any] = {"front": [], "back": [], "unplaced": int(found["view"].null_count())}
    for row in pl.concat([known, found], how="horizontal").sort("rank", descending=True).iter_rows(named=True):
        if row["view"] is not None:
            x, y = _onto_body(row["x"], row["y"])
            seen = round(x if row["view"] == "front" else -x, 1)
            kept = {"rank": row["rank"], "x": seen, "y": round(y, 1), "mm": row["clin_size_long_diam_mm"]}
            more = {"band": band(row["risk"]), "listed": row["shortlist"], "measured": row["measured"]}
            dots[row["view"]].append(kept | more)
    return dots


def body_map(dots: Mapping[str, Any], view: str, *, words: Mapping[int, str], key: str, links: bool = True) -> Markup:
    """Draw one side of a body.

    Args:
        dots: As `body_dots` gives them.
        view: "front" or "back".
        words: What is said of listed lesions, by rank.
        key: Part of its element ids; used once a page.
        links: Whether dots lead to the rows `l-RANK` of the page, and are `d-RANK` themselves.
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
        _outline(shown),
        tag("g", *others, aria_hidden="true"),
        *flagged,
        class_="body",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="group",
        aria_labelledby=f"{key}-title",
    )


def _outline(shown: Sequence[Mapping[str, Any]]) -> Markup:
    """First everything a little thicker in the colour of the edge, then in that of the body."""
    cells = {(round(dot["x"] / _CELL), round(dot["y"] / _CELL)) for dot in shown if dot["measured"]}
    cloud = "".join(f"M{_CELL * x:.0f} {_CELL * y:.0f}h0" for x, y in sorted(cells))
    strokes = [*_BODY, (80, cloud or "M0 1200h0")]
    turned = f"matrix({_SCALE} 0 0 {-_SCALE} {WIDTH / 2:g} {HIGHEST * _SCALE:g})"
    layers = [
        tag("path", d=d, stroke_width=width + more, class_=name)
        for name, more in (("edge", 8), ("skin", 0))
        for width, d in strokes
    ]
    return tag("g", *layers, transform=turned, aria_hidden="true")


def _onto_body(x: float, y: float) -> tuple[float, float]:
    """A place in mm, moved towards the nearest bone of the drawing where it is further away than flesh is thick."""
    near_x, near_y = min(_BONES, key=lambda bone: (bone[0] - x) ** 2 + (bone[1] - y) ** 2)
    share = min(1.0, _FLESH / max(math.hypot(x - near_x, y - near_y), 1.0))
    return near_x + share * (x - near_x), near_y + share * (y - near_y)


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
    if at is None:
        return tag("a", circle, href=f"#l-{dot['rank']}", tabindex=-1) if links else circle
    label = tag("text", str(dot["rank"]), x=f"{at[0]:.1f}", y=f"{at[1] + 5:.1f}", text_anchor="middle")
    if not links:
        return circle + label
    return tag("a", circle, label, href=f"#l-{dot['rank']}", aria_label=words)


def _labels(listed: Iterable[Mapping[str, Any]]) -> list[tuple[float, float]]:
    """Where each number stands: beside its dot, and over no other dot of the list or number as far as there is room."""
    dots = [_at(dot) for dot in listed]
    taken: list[tuple[float, float]] = []
    for x, y, radius in dots:
        away = radius + _LABEL + 1
        ring = [(x + dx * away * far, y + dy * away * far) for far in (1, 1.7, 2.4) for dx, dy in _AROUND]
        taken.append(min(ring, key=lambda at: _crowding(at, taken, dots)))
    return taken


_AROUND = ((1, 0), (-1, 0), (0, -1), (0, 1), (0.7, -0.7), (-0.7, -0.7), (0.7, 0.7), (-0.7, 0.7))


def _crowding(
    at: tuple[float, float], taken: Sequence[tuple[float, float]], dots: Sequence[tuple[float, float, float]]
) -> int:
    numbers = sum(abs(at[0] - x) < 2 * _LABEL and abs(at[1] - y) < 2 * _LABEL for x, y in taken)
    marks = sum(abs(at[0] - x) < _LABEL + r and abs(at[1] - y) < _LABEL + r for x, y, r in dots)
    return 2 * numbers + marks
