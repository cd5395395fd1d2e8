"""Style sheets: `chart.css` holds the colours and what charts look like, for a page and for a picture alike."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def template_file(name: str) -> str:
    """The text of a file of `templates`."""
    return (files("submissions.report") / "templates" / name).read_text("utf-8").strip()


def style_sheet(*names: str) -> str:
    """What charts look like, in colours that follow the reader's setting, and after it other sheets of `templates`."""
    return "\n".join(template_file(each) for each in ("chart.css", *names))
