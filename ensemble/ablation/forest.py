"""The forest picture: every difference with its interval, as an SVG that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any
from xml.sax.saxutils import escape

from cv_folds.formats import with_interval
from cv_folds.metrics import PAUC

_ROW, _LEADING, _TOP, _LABELS, _PLOT, _FIGURES = 26, 18, 64, 330, 420, 250
_WIDTH = _LABELS + _PLOT + _FIGURES
TITLES = {
    "without": "Left out, against all features",
    "pair": "Pairs left out, against all features",
    "only": "Alone, against all features",
    "base plus": "Added to the base, against the base",
    "run": "Another run, against the first",
}
"""What a kind of variant is called above its rows."""
#: Characters of the ordinary text that fit on a line of the picture.
_LINE = 140
# Colours follow the reader's setting; a find is a full disc and the rest a ring, so nothing rests on colour.
_STYLE = """
  :root { color-scheme: light dark; color: #1b1f24; --paper: #ffffff; --mark: #0b5cad; --grid: #d0d7de; }
  @media (prefers-color-scheme: dark) {
    :root { color: #e6edf3; --paper: #0d1117; --mark: #6cb6ff; --grid: #3d444d; }
  }
  .paper { fill: var(--paper); }
  text { fill: currentColor; font: 13px system-ui, sans-serif; }
  .kind, .title { font-weight: 600; }
  .title { font-size: 16px; }
  .end { text-anchor: end; }
  .middle { text-anchor: middle; }
  .zero { stroke: currentColor; stroke-width: 1.5; }
  .grid { stroke: var(--grid); }
  .span { stroke: var(--mark); stroke-width: 2; }
  .found { fill: var(--mark); stroke: var(--mark); stroke-width: 2; }
  .open { fill: var(--paper); stroke: var(--mark); stroke-width: 2; }
"""


def forest(rows: Sequence[Mapping[str, Any]], *, title: str, note: str, metric: str = PAUC.label) -> str:
    """Draw the rows of `ensemble.ablation.comparison.compare`.

    Args:
        rows: In the order in which they are drawn, grouped by kind.
        title: Above the picture.
        note: Below it: which data, which intervals; long lines are broken.
        metric: What the differences are of.

    Returns:
        An SVG document with a title and a description for readers that do not see it.
    """
    scale = _Scale.of(rows)
    body, y = list[str](), _TOP
    for kind in dict.fromkeys(row["kind"] for row in rows):
        y += _ROW
        body.append(_text(12, y, TITLES[kind], "kind"))
        for row in (row for row in rows if row["kind"] == kind):
            y += _ROW
            body += _drawn(row, y, scale)
    axis = _axis(scale, y + _ROW)
    below = [line for part in note.split("\n") for line in wrap(part, _LINE)]
    height = y + 3 * _ROW + _LEADING * max(len(below), 1)
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    said = " ".join(f"{row['name']}: {with_interval(row['difference'], signed=True)}." for row in rows)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="desc">{escape(f"{note} {said}")}</desc>',
            f"<style>{_STYLE}</style>",
            f'<rect class="paper" width="{_WIDTH}" height="{height}"/>',
            _text(12, 28, title, "title"),
            _text(12, 50, f"Change of {metric}: filled where the interval leaves out 0, open where it covers 0"),
            *axis,
            *body,
            *(_text(12, y + 3 * _ROW + _LEADING * place, line) for place, line in enumerate(below)),
            "</svg>\n",
        ]
    )


class _Scale:
    """Where a difference stands on the picture, and where lines of the grid go."""

    def __init__(self, low: float, high: float) -> None:
        step = 10 ** math.floor(math.log10(high - low))
        self.step = next(step * part for part in (0.1, 0.2, 0.5, 1, 2) if (high - low) / (step * part) <= 7)
        self.low = math.floor(low / self.step)
        self.high = math.ceil(high / self.step)

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> _Scale:
        ends = [row["difference"][end] for row in rows for end in ("estimate", "low", "high")]
        known = [0.0, *(end for end in ends if end is not None)]
        low, high = min(known), max(known)
        return cls(low, high) if high > low else cls(-0.001, 0.001)

    def __call__(self, value: float) -> float:
        return float(_LABELS + _PLOT * (value / self.step - self.low) / (self.high - self.low))

    @property
    def lines(self) -> list[float]:
        return [place * self.step for place in range(self.low, self.high + 1)]


def _axis(scale: _Scale, bottom: float) -> list[str]:
    digits = max(0, -math.floor(math.log10(scale.step) + 1e-9))
    drawn = []
    for value in scale.lines:
        mark = "zero" if value == 0 else "grid"
        x = scale(value)
        drawn.append(f'<line class="{mark}" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom - 8}"/>')
        drawn.append(_text(x, bottom + 10, f"{value:+.{digits}f}" if value else "0", "middle"))
    return drawn


def _drawn(row: Mapping[str, Any], y: float, scale: _Scale) -> list[str]:
    found = row["difference"]
    middle = y - 4.5
    drawn = [_text(24, y, row["name"]), _text(_WIDTH - 12, y, with_interval(found, signed=True), "end")]
    if found["low"] is not None:
        ends = f'x1="{scale(found["low"]):.1f}" x2="{scale(found["high"]):.1f}"'
        drawn.append(f'<line class="span" {ends} y1="{middle}" y2="{middle}"/>')
    mark = "found" if found["distinguishable"] else "open"
    drawn.append(f'<circle class="{mark}" cx="{scale(found["estimate"]):.1f}" cy="{middle}" r="4.5"/>')
    return drawn


def _text(x: float, y: float, words: str, kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text{style} x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'
