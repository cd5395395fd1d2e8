"""Tables and figures for a paper: Markdown and LaTeX, SVG, PDF and PNG."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree as ET

from rich.table import Table
from rich.text import Text

from engine.files import atomic_path, write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LATEX = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--", "≥": r"$\geq$"}
)

_MINUS = re.compile(r"-(?=\d)")


def write_table(table: Table, stem: Path) -> None:
    """Write a terminal table as STEM.md and STEM.tex (booktabs), its title first."""
    for suffix, text in ((".md", markdown(table)), (".tex", latex(table))):
        path = stem.with_name(stem.name + suffix)
        if path.is_file() and path.read_bytes() == text.encode():
            continue  # repeating a run changes nothing
        write_text(text, path)


def markdown(table: Table) -> str:
    """The table in Markdown."""
    header, *rows = _cells(table, "|", "\\|")
    lines = [header, ["---:" if column.justify == "right" else "---" for column in table.columns], *rows]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "\n\n".join(part for part in (_words(table.title), body, _words(table.caption)) if part) + "\n"


def latex(table: Table) -> str:
    """The table in LaTeX; it needs the package booktabs."""
    places = "".join("r" if column.justify == "right" else "l" for column in table.columns)
    header, *rows = (
        " & ".join(_MINUS.sub("$-$", cell.translate(_LATEX)) for cell in line) + r" \\" for line in _cells(table)
    )
    words = [f"% {text}" for text in (_words(table.title), _words(table.caption)) if text]
    body = [
        rf"\begin{{tabular}}{{{places}}}",
        r"\toprule",
        header,
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join([*words, *body]) + "\n"


def _cells(table: Table, old: str = "", new: str = "") -> Iterator[list[str]]:
    """The header, then each row, as plain words."""
    yield [_words(column.header) for column in table.columns]
    for row in zip(*(column.cells for column in table.columns), strict=True):
        yield [_words(cell).replace(old, new) if old else _words(cell) for cell in row]


def _words(cell: object) -> str:
    if cell is None:
        return ""
    return (cell if isinstance(cell, Text) else Text.from_markup(str(cell))).plain.strip()


def write_figure(svg: str, stem: Path) -> None:
    """Write a figure as STEM.svg, and the same drawing in light colours as STEM.pdf and STEM.png.

    Args:
        svg: Lines, circles, rectangles and text of the classes in `_COLOURS`, as in `submissions.report.forest`.
        stem: Path without suffix.
    """
    write_text(svg, stem.with_suffix(".svg"))
    drawn = _drawn(ET.fromstring(svg))  # noqa: S314 - our own
    for suffix in (".pdf", ".png"):
        with atomic_path(stem.with_suffix(suffix)) as temporary:
            drawn.savefig(temporary, format=suffix[1:], dpi=_DPI, metadata=_UNDATED.get(suffix))


#: Pixels per inch of the SVG, and dots per inch of the PNG.
_PIXELS, _DPI = 96, 200
#: No time is written, so that the same picture is the same bytes.
_UNDATED = {".pdf": {"CreationDate": None}}
_COLOURS = {"zero": "#1c2024", "grid": "#d9d6cf", "span": "#0b5f8a", "found": "#0b5f8a", "open": "#ffffff"}
_PLACES: dict[str, Literal["right", "center"]] = {"end": "right", "middle": "center"}


def _drawn(root: ET.Element) -> Figure:
    """The figure with the elements of an SVG, drawn one after the other."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - a second to load, and few commands draw

    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    figure = Figure(figsize=(width / _PIXELS, height / _PIXELS))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    point = 72 / _PIXELS
    for element in root.iter():
        kind, where = element.get("class", ""), {key: float(element.get(key, "0")) for key in ("x", "y", "cx", "cy")}
        if element.tag.endswith("}text"):
            size, weight = (16 if kind == "title" else 13) * point, "bold" if kind in {"title", "kind"} else "normal"
            place = _PLACES.get(kind, "left")
            axes.text(where["x"], where["y"], element.text or "", fontsize=size, fontweight=weight, ha=place)
        elif element.tag.endswith("}line"):
            ends = [[float(element.get(f"{axis}{end}", "0")) for end in (1, 2)] for axis in "xy"]
            axes.plot(*ends, color=_COLOURS[kind], linewidth=(2 if kind == "span" else 1) * point)
        elif element.tag.endswith("}circle"):
            size = 2 * float(element.get("r", "0")) * point
            (mark,) = axes.plot(where["cx"], where["cy"], marker="o", markersize=size, color=_COLOURS["span"])
            mark.set_markerfacecolor(_COLOURS[kind])
    return figure
