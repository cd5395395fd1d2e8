"""Robustness figures as a table on the terminal, and as CSV."""

from __future__ import annotations

from typing import Any

import polars as pl
from rich.table import Table

from cv_folds.formats import estimate, verdict, with_interval
from cv_folds.metrics import PAUC
from uglyduck.terminal.answers import console

_STRENGTHS = ("", "slight", "clear", "strong")


def show_robustness(result: dict[str, Any]) -> None:
    """Print a row for each score, perturbation and strength."""
    counts = f"{result['lesions']:,} lesions of {result['patients']:,} patients, {result['malignant']:,} malignant"
    table = Table(title=f"{PAUC.label} out of fold, {counts}", title_justify="left", caption_justify="left")
    table.caption = "change from the crops as they are (95 % interval); ≈ not distinguishable from no change"
    for heading in ("score", "crops", "strength", PAUC.label, "change"):
        table.add_column(heading, no_wrap=heading not in {"score", "crops"})
    for row in result["rows"]:
        change = row.get("change")
        cells = [with_interval(row[PAUC.name])] if change is None else [estimate(row[PAUC.name]), _change(change)]
        table.add_row(row["score"], row["kind"], _STRENGTHS[row["strength"]], *cells)
    console(160).print(table)


def as_table(result: dict[str, Any]) -> pl.DataFrame:
    """A row for each score, kind and strength: pAUC, change and gain from CLAHE, each with its interval."""
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


def _change(change: dict[str, Any]) -> str:
    return ("≈ " if verdict(change) else "") + with_interval(change, signed=True)
