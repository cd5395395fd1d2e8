"""The page: one file that loads nothing, says so to the browser, and escapes everything it was given."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from cv_folds import formats
from submissions.report import charts
from submissions.report.styles import style_sheet


def render_page(report: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    """Write the report as one HTML page.

    The page holds no script, and its content security policy allows its own style sheet (by hash) and embedded
    pictures, nothing else.

    Args:
        report: As `building.build_report` gives it.
        pictures: Data URIs of crops by isic_id; empty where there are none.

    Returns:
        The whole page.
    """
    style = style_sheet("style.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(report=report, pictures=pictures, style=style, style_hash=digest)
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("submissions.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"estimate": formats.estimate, "ends": formats.ends, "count": formats.count}
    pictures = (charts.roc_chart, charts.region_chart, charts.reliability_chart, charts.curve_chart, charts.strip_chart)
    small = (charts.bar, charts.share_bar, charts.span, charts.points)
    environment.globals |= {function.__name__: function for function in (*pictures, *small)}
    return environment
