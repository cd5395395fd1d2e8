"""What `uglyduck images` says while it works and when it is done."""

from __future__ import annotations

from typing import Any

import typer
from rich.table import Table

from cv_folds.formats import difference, with_interval
from cv_folds.hospital_share import in_words
from cv_folds.metrics import AUC, PAUC, SENSITIVITY883
from uglyduck.terminal.answers import console

_METRICS = (PAUC, AUC, SENSITIVITY883)


def show_figures(result: dict[str, Any]) -> None:
    """Print the figures of `image_embeddings.measuring.measure` as a table on stdout."""
    caveat = "\nno patient is known: figures are flattered" if result.get("ungrouped") else ""
    table = Table(title=f"Out of fold, {result['lesions']:,} crops, {result['malignant']:,} malignant{caveat}")
    for heading in ("model", "", *(metric.label for metric in _METRICS)):
        table.add_column(heading)
    keys = [metric.name for metric in _METRICS]
    for name, views in result["scores"].items():
        for view, metrics in views.items():
            table.add_row(name, view, *(with_interval(metrics[key]) for key in keys))
    for name, metrics in result["differences"].items():
        cells = (difference(metrics[key]) for key in keys)
        table.add_row(name, f"minus {next(iter(result['scores']))}", *cells)
    console(160).print(table)
    if "classes" in result:
        balanced, accuracy = (with_interval(result["classes"][name]) for name in ("balanced_accuracy", "accuracy"))
        typer.echo(f"balanced multi-class accuracy {balanced}, accuracy {accuracy}")
    if result.get("hospital"):
        typer.echo(f"hospital: {in_words(result['hospital'])}")
    if result["left_out"]:
        typer.echo(f"{result['left_out']} crops without a score are left out")
