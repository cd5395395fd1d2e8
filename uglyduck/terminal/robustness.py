"""Robustness figures as a table on the terminal, and as CSV."""

from __future__ import annotations

import sys
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table

from cv_folds.formats import estimate, verdict, with_interval
from cv_folds.metrics import PAUC

_WIDTH = 160


def show_robustness(result: dict[str, Any]) -> None:
    """Print a row for each score and perturbation, a column for each strength."""
    counts = f"{result['lesions']:,} lesions of {result['patients']:,} patients, {result['malignant']:,} malignant"
    table = Table(title=f"{PAUC.label} out of fold, {counts}", title_justify="left", caption_justify="left")
    table.caption = "change from the crops as they are (95 % interval); ≈ not distinguishable from no change"
    for heading in ("score", "crops", "slight", "clear", "strong"):
        table.add_column(heading)
    by_kind: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in result["rows"]:
        by_kind.setdefault((row["score"], row["kind"]), []).append(row)
    for (score, kind), rows in by_kind.items():
        table.add_row(score, kind, *(_cell(row) for row in rows), end_section=kind == "rotation")
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(table)


def as_table(result: dict[str, Any]) -> pl.DataFrame:
    """A row for each score, kind and strength: pAUC, change and gain by CLAHE, each with both ends."""
    return pl.DataFrame(
        [
            {
                **{name: row[name] for name in ("score", "kind", "strength")},
                **{
                    f"{figure}_{end}" if end != "estimate" else figure: row.get(figure, {}).get(end)
                    for figure in (PAUC.name, "change", "clahe_gain")
                    for end in ("estimate", "low", "high")
                },
            }
            for row in result["rows"]
        ],
        infer_schema_length=None,
    )


def _cell(row: dict[str, Any]) -> str:
    change = row.get("change")
    if change is None:
        return with_interval(row[PAUC.name])
    sign = "≈ " if verdict(change) else ""
    return f"{estimate(row[PAUC.name])}  {sign}{with_interval(change, signed=True)}"
