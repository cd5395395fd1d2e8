"""A comparison of recipes (an ablation's variants, or runs) as a table on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from cv_folds.formats import NOT_DISTINGUISHABLE, with_interval
from submissions.report.forest import TITLES
from uglyduck.terminal.answers import console, say_notes

Report = Mapping[str, Any]


def show_comparison(report: Report, folder: Path) -> None:
    """Print the rows of a comparison, what could not be tried, and what to keep in mind."""
    console(170).print(comparison_table(report, stacked=True))
    for row in report["not_applicable"]:
        typer.echo(f"not applicable: {row['name']} ({row['why']})")
    if "baseline_is_the_run" in report:
        typer.echo(f"all features: {_baseline(report)}")
    say_notes(report["notes"])
    typer.echo(f"written to {folder}")


def headline(report: Report) -> str:
    """Which lesions, and where they come from."""
    counts, data = report["counts"], report["data"]
    origin = "data of unknown origin" if data == "unknown" else f"{data} data"
    return (
        f"{counts['lesions']:,} lesions of {counts['patients']:,} patients, {counts['malignant']:,} malignant; {origin}"
    )


def comparison_table(report: Report, *, stacked: bool = False) -> Table:
    """The table: a row for each variant or run, in sections by kind.

    Args:
        report: As written by `ablate` and `compare`.
        stacked: Fit 100 columns: each difference's verdict goes below it, and p before Holm's correction is left out.
    """
    metric, label, baseline = report["settings"]["metric"], report["settings"]["label"], report["baseline"]
    table = Table(
        title=f"{report['title']}. {headline(report)}", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("", no_wrap=not stacked, overflow="fold")
    table.add_column("features", justify="right", no_wrap=True)
    for column in (label, "difference"):
        table.add_column(column, no_wrap=True)
    for column in ("p, Holm",) if stacked else ("p", "p, Holm"):
        table.add_column(column, justify="right", no_wrap=True)
    if not stacked:
        table.add_column("", no_wrap=True)
    table.add_row(escape(baseline["name"]), str(baseline["features"]), with_interval(baseline[metric]))
    for kind, title in TITLES.items():
        rows = [row for row in report["rows"] if row["kind"] == kind]
        if rows:
            table.add_section()
            table.add_row(f"[bold]{title}[/bold]")
        for row in rows:
            found = row["difference"]
            first = [f"  {escape(row['name'])}", str(row["features"]), with_interval(row[metric])]
            gap, p, adjusted = with_interval(found, signed=True), _p(found["p"]), _p(found["p_adjusted"])
            said = verdict(found)
            table.add_row(*first, *([f"{gap}\n{said}".strip(), adjusted] if stacked else [gap, p, adjusted, said]))
    return table


def verdict(found: Mapping[str, Any]) -> str:
    """What a difference says, in words."""
    if found["low"] is None:
        return ""
    if not found["distinguishable"]:
        return NOT_DISTINGUISHABLE
    way = "higher" if found["estimate"] > 0 else "lower"
    return way if found["p_adjusted"] < 1 - found["level"] else f"{way}, not after Holm"


def _baseline(report: Report) -> str:
    if report["baseline_is_the_run"] is None:
        return "the run has no scores to compare"
    return f"the blend {'equals' if report['baseline_is_the_run'] else 'differs from'} the run's"


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
