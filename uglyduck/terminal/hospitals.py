"""Leave-one-hospital-out figures as a table on the terminal."""

from __future__ import annotations

from typing import Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from cv_folds.formats import with_interval
from cv_folds.metrics import PAUC
from uglyduck.terminal.answers import console, say_notes

_POOLED, _MEAN = "all, ranked together", "mean of those with figures"


def show_hospitals(found: dict[str, Any]) -> None:
    """Print the figures of each hospital, or why there are none."""
    if not found["applicable"]:
        typer.echo(f"not applicable: {found['reason']}")
        return
    source = "" if found["data"] == "unknown" else f", {found['data']} data"
    typer.echo(f"Leave one hospital out{source}, against {found['compared_with']}")
    console(180).print(_table(found))
    drawn = f"{found['replicates']:,} patient bootstrap replicates"
    typer.echo(f"95 % intervals: {drawn}; figures from {found['fewest_malignant']} malignant lesions up")
    say_notes(found["notes"])


def _table(found: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("hospital", overflow="fold")
    table.add_column("malignant\nof lesions", justify="right", no_wrap=True)
    for column in (f"{PAUC.label}: hospital left out\nand with patient folds", "difference"):
        table.add_column(column, no_wrap=True)
    for row in found["hospitals"]:
        table.add_row(Text(row["hospital"]), _counts(row["malignant"], row["lesions"]), *_cells(row))
    table.add_section()
    lesions, malignant = (sum(row[name] for row in found["hospitals"]) for name in ("lesions", "malignant"))
    table.add_row(_POOLED, _counts(malignant, lesions), *_cells(found["pooled"]))
    if found["mean"]:
        table.add_row(_MEAN, "", *_cells(found["mean"]))
    return table


def _counts(malignant: int, lesions: int) -> str:
    return f"{malignant:,}\nof {lesions:,}"


def _cells(row: dict[str, Any]) -> tuple[str, str]:
    if row["left_out"] is None:
        return "–", str(row["verdict"])
    left_out, patient_folds = (with_interval(row[name][PAUC.name]) for name in ("left_out", "patient_folds"))
    return (
        f"{left_out}\n{patient_folds}",
        f"{with_interval(row['difference'][PAUC.name], signed=True)}\n{row['verdict']}",
    )
