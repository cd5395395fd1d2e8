"""Small pieces of SVG: elements whose text and attributes are escaped, scales, axes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

Point = Sequence[float]

WIDTH, HEIGHT = 360, 264
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 10, 44


def tag(name: str, *children: str, **attributes: str | float) -> Markup:
    """One element; `class_` stands for class, an underscore inside a name for a hyphen."""
    pairs = (Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    opening = Markup("<{}{}>").format(Markup(name), Markup().join(pairs))  # noqa: S704 - the name is ours
    return opening + Markup().join(children) + Markup("</{}>").format(Markup(name))  # noqa: S704 - the name is ours


@dataclass(frozen=True)
class PlotScale:
    """Maps values to places in the picture.

    Attributes:
        low: Value at `start`.
        high: Value at `end`.
        start: Place in user units.
        end: Place in user units.
        logarithmic: Equal steps for equal factors; values at or below `low` are placed at `start`.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """The place, clipped to the ends and rounded to a tenth."""
        if self.logarithmic:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """About five round values, or the powers of ten."""
        if self.logarithmic:
            powers = range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)
            return [10.0**power for power in powers]
        step = _round_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        return [place * step for place in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _round_step(rough: float) -> float:
    magnitude = 10.0 ** math.floor(math.log10(rough))
    return next(step * magnitude for step in (1, 2, 2.5, 5, 10) if step * magnitude >= rough * 0.999)


@dataclass(frozen=True)
class Plot:
    """Two scales on one sheet.

    Attributes:
        x: Left to right.
        y: Bottom to top.
    """

    x: PlotScale
    y: PlotScale

    @classmethod
    def over(cls, x: tuple[float, float], y: tuple[float, float], *, logarithmic: tuple[bool, bool]) -> Plot:
        """A plot over these ranges."""
        return cls(
            PlotScale(*x, _LEFT, WIDTH - _RIGHT, logarithmic[0]), PlotScale(*y, HEIGHT - _BOTTOM, _TOP, logarithmic[1])
        )

    def path(self, points: Iterable[Point], *, closed: bool = False) -> str:
        """Path data through these values."""
        return "M" + "L".join(f"{self.x(x):g} {self.y(y):g}" for x, y in points) + ("Z" if closed else "")

    def axes(self, x_label: str, y_label: str) -> Markup:
        """Grid lines, ticks and labels."""
        parts = []
        for value in self.x.ticks():
            place = self.x(value)
            parts.append(tag("line", class_="grid", x1=place, x2=place, y1=self.y.start, y2=self.y.end))
            parts.append(tag("text", number(value), x=place, y=self.y.start + 16, text_anchor="middle"))
        for value in self.y.ticks():
            place = self.y(value)
            parts.append(tag("line", class_="grid", x1=self.x.start, x2=self.x.end, y1=place, y2=place))
            parts.append(tag("text", number(value), x=self.x.start - 5, y=place + 4, text_anchor="end"))
        middle, centre = (self.x.start + self.x.end) / 2, (self.y.start + self.y.end) / 2
        parts.append(tag("text", x_label, class_="label", x=middle, y=HEIGHT - 8, text_anchor="middle"))
        turned = f"rotate(-90 11 {centre:g})"
        parts.append(tag("text", y_label, class_="label", x=11, y=centre, text_anchor="middle", transform=turned))
        return Markup().join(parts)


def number(value: float) -> str:
    """A tick label, as short as possible; tiny values, found only on logarithmic axes, as powers of ten."""
    if 0 < abs(value) < 0.001:
        return f"10{str(round(math.log10(abs(value)))).translate(_RAISED)}"
    return f"{value:.6g}".replace("-", "−")


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def sheet(title: str, description: str, *body: str, key: str) -> Markup:
    """A whole picture with a title and a description for those who cannot see it.

    Args:
        title: Title of the picture.
        description: What it shows.
        body: Elements.
        key: Part of its element ids; used once per page.
    """
    names = {"title": f"{key}-title", "desc": f"{key}-desc"}
    return tag(
        "svg",
        tag("title", title, id=names["title"]),
        tag("desc", description, id=names["desc"]),
        *body,
        class_="chart",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby=f"{names['title']} {names['desc']}",
    )


def document(title: str, *body: str, style: str, width: float, height: float, description: str = "") -> str:
    """A picture as a separate file, with a title and, if given, a description for those who cannot see it.

    Args:
        title: Title of the picture.
        body: Elements.
        style: Content of one of our style sheets.
        width: In user units.
        height: Likewise.
        description: What it shows.
    """
    told = [tag("desc", description, id="desc")] if description else []
    picture = tag(
        "svg",
        tag("title", title, id="title"),
        *told,
        tag("style", Markup(style)),  # noqa: S704 - our own file
        *body,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_labelledby="title desc" if description else "title",
    )
    return f"{picture}\n"
