"""An ablation as a table on the terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from cv_folds.formats import NOT_DISTINGUISHABLE, with_interval
from cv_folds.metrics import PAUC

_KINDS = {
    "without": "left out, against all",
    "pair": "pairs left out, against all",
    "only": "alone, against all",
    "base plus": "added to the base, against the base",
}


def show_ablation(report: dict[str, Any], folder: Path) -> None:
    """Print the rows of an ablation, what could not be tried, and what to keep in mind."""
    console = Console(width=None if sys.stdout.isatty() else 170, highlight=False)
    console.print(ablation_table(report))
    for row in report["not_applicable"]:
        console.print(f"not applicable: {row['name']} ({row['why']})", markup=False, soft_wrap=True)
    console.print(f"all features: {_baseline(report)}", markup=False)
    for note in report["notes"]:
        console.print(f"note: {note}", markup=False, soft_wrap=True)
    console.print(f"written to {folder}", markup=False, soft_wrap=True)


def _baseline(report: dict[str, Any]) -> str:
    if report["baseline_is_the_run"] is None:
        return "the run has no scores to compare"
    return f"the blend {'equals' if report['baseline_is_the_run'] else 'differs from'} the run's"


def ablation_table(report: dict[str, Any]) -> Table:
    """The table: a row for each variant, in sections by kind."""
    counts = report["counts"]
    data = f"{report['data']} data" if report["data"] else "data of unstated origin"
    table = Table(
        title=f"Ablation of {counts['lesions']:,} lesions of {counts['patients']:,} patients, "
        f"{counts['malignant']:,} malignant; {data}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("features", no_wrap=True)
    table.add_column("number", justify="right", no_wrap=True)
    table.add_column(PAUC.label, no_wrap=True)
    table.add_column("difference", no_wrap=True)
    table.add_column("p", justify="right", no_wrap=True)
    table.add_column("p, Holm", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_row("all", str(report["baseline"]["features"]), with_interval(report["baseline"][PAUC.name]))
    for kind, title in _KINDS.items():
        rows = [row for row in report["rows"] if row["kind"] == kind]
        if rows:
            table.add_section()
            table.add_row(f"[bold]{title}[/bold]")
        for row in rows:
            found = row["difference"]
            p_values = [_p(found["p"]), _p(found["p_adjusted"])]
            numbers = [str(row["features"]), with_interval(row[PAUC.name]), with_interval(found, signed=True)]
            table.add_row(f"  {row['name']}", *numbers, *p_values, verdict(found))
    return table


def verdict(found: dict[str, Any]) -> str:
    """What a difference says, in words."""
    if found["low"] is None:
        return ""
    if not found["distinguishable"]:
        return NOT_DISTINGUISHABLE
    way = "higher" if found["estimate"] > 0 else "lower"
    return way if found["p_adjusted"] < 1 - found["level"] else f"{way}, not after Holm"


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
