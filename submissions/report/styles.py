"""Style sheets: `chart.css` holds the colours and what charts look like, for a page and for a picture alike."""

from __future__ import annotations

from importlib.resources import files


def style_sheet(name: str) -> str:
    """What charts look like, in colours that follow the reader's setting, and after it another sheet of `templates`."""
    folder = files("submissions.report") / "templates"
    return "\n".join((folder / each).read_text("utf-8").strip() for each in ("chart.css", name))
