"""The page: one file that loads nothing, tells the browser so, and escapes everything it is given."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from cv_folds import formats
from submissions.report import charts
from submissions.report.body_map import body_map
from submissions.report.plain_names import plain_name


def render_page(
    report: Mapping[str, Any], pictures: Mapping[str, str], patients: Mapping[str, str] | None = None
) -> str:
    """Write the report as one HTML page.

    The page holds no script, and its content security policy allows its own style sheet (by hash) and embedded
    pictures, nothing else.

    Args:
        report: As `building.build_report` returns it.
        pictures: Data URIs of crops by isic_id; empty if there are none.
        patients: Paths of the patients' pages, by isic_id of their lesions; that of their index under "".

    Returns:
        The whole page.
    """
    return render("report.html.j2", "patients.css", report=report, pictures=pictures, patients=patients or {})


def render(template: str, *more: str, script: str | None = None, **content: object) -> str:
    """Fill a template of a page whose content security policy allows its own style sheet and script, by their hashes.

    Args:
        template: File in `templates`.
        more: Style sheets to add to that of every page.
        script: File in `templates`; None for a page without a script.
        content: Variables of the template.
    """
    style, code = style_sheet("style.css", *more), "" if script is None else template_file(script)
    hashes = {"style_hash": _digest(style), "script_hash": _digest(code)}
    return _environment().get_template(template).render(**content, **hashes, style=style, script=code)


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


@cache
def template_file(name: str) -> str:
    """The text of a file of `templates`."""
    return (files("submissions.report") / "templates" / name).read_text("utf-8").strip()


def style_sheet(*names: str) -> str:
    """The style of charts, in colours that follow the reader's setting, followed by other sheets of `templates`."""
    return "\n".join(template_file(each) for each in ("chart.css", *names))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("submissions.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "plain_name": plain_name,
        "estimate": formats.estimate,
        "ends": formats.ends,
        "count": formats.count,
    }
    pictures = (charts.roc_chart, charts.region_chart, charts.reliability_chart, charts.curve_chart, charts.strip_chart)
    small = (charts.bar, charts.share_bar, charts.span, charts.points, body_map)
    environment.globals |= {function.__name__: function for function in (*pictures, *small)}
    return environment
