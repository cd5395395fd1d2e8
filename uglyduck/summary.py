"""A run's figures as a table on the terminal."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from cohort.files import read_json
from uglyduck.run_folder import RunFolder


def show_metrics(folder: RunFolder) -> None:
    """Print the out-of-fold figures of a finished run, each with its interval."""
    stored = read_json(folder.metrics)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(metrics_table(stored))


def metrics_table(stored: dict[str, Any]) -> Table:
    """The table of `metrics.json`: a row for each learner and the blend."""
    scores: dict[str, Any] = stored["scores"]
    first = next(iter(scores.values()))
    counts = f"{first['lesions']:,} lesions of {first['patients']:,} patients, {first['malignant']:,} malignant"
    table = Table(
        title=f"Out of fold, {counts}",
        caption=f"{100 * first['level']:g} % intervals: {first['replicates']:,} {first['unit']} bootstrap replicates",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("score")
    for label in first["metrics"].values():
        table.add_column(label)
    table.add_column("pAUC, mean over folds")
    for name, measured in scores.items():
        pooled = [_cell(measured["pooled"][metric]) for metric in first["metrics"]]
        table.add_row(name, *pooled, _cell(measured["mean_over_folds"]["pauc"]))
    return table


def _cell(interval: dict[str, Any]) -> str:
    if interval["estimate"] is None:
        return "undefined"
    ends = "" if interval["low"] is None else f" [{interval['low']:.4f}, {interval['high']:.4f}]"
    return f"{interval['estimate']:.4f}{ends}"
