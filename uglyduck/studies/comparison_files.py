"""What a comparison of recipes says about itself, and writes into its folder: JSON, and tables and figures to print."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from cv_folds.metrics import Metric
from engine.files import atomic_path, write_json
from submissions.report.cohort_counts import lesion_counts
from submissions.report.forest import forest
from uglyduck.run.run import Run
from uglyduck.terminal.comparison import comparison_table, headline
from uglyduck.terminal.printed import write_figure, write_table

FIGURE = "forest"
_PATIENTS = "a paired patient bootstrap"


def facts_of(run: Run, repeats: int) -> dict[str, Any]:
    """Which lesions a comparison is about, and what its intervals include."""
    return {
        "data": run.origin,
        "estimate": "out-of-fold",
        "interval": _PATIENTS if repeats == 1 else f"patients and {repeats} repetitions with other folds and seeds",
        "counts": lesion_counts(run.folds.frame),
    }


def metric_settings(run: Run, metric: Metric) -> dict[str, Any]:
    """What is measured, and with which bootstrap."""
    settings = run.config.metrics
    drawn = {"replicates": settings.replicates, "seed": settings.seed, "correction": "Holm"}
    return {"metric": metric.name, "label": metric.label, **drawn}


def notes_on_intervals(repeats: int) -> list[str]:
    """What the intervals of a comparison leave out."""
    included = (
        f"95 % intervals of {_PATIENTS}: these models, other patients; whether the recipe is better needs --repeats 5"
        if repeats == 1
        else "95 % intervals include other patients, training patients, folds, seeds and drawn benign lesions"
    )
    corrected = "intervals are not corrected for the number of rows; p_adjusted is, by Holm's method over all rows"
    return [included, corrected]


def write_comparison(report: Mapping[str, Any], folder: Path, stem: str) -> None:
    """Write STEM.json, STEM.csv, STEM.md, STEM.tex, and forest.svg, forest.pdf and forest.png.

    Args:
        report: As `uglyduck ablate` and `uglyduck compare` make it.
        folder: Folder to write to.
        stem: Name of the tables.
    """
    write_json(report, folder / f"{stem}.json")
    with atomic_path(folder / f"{stem}.csv") as temporary:
        rows = [_flat(row, report["settings"]["metric"]) for row in report["rows"]]
        pl.DataFrame(rows, infer_schema_length=None).write_csv(temporary)
    write_table(comparison_table(report), folder / stem)
    metric = report["settings"]["label"]
    note = (
        f"{headline(report)}\n95 % intervals of {report['interval']}, not corrected. A research tool, not a diagnosis."
    )
    write_figure(forest(report["rows"], title=report["title"], metric=metric, note=note), folder / FIGURE)


def _flat(row: Mapping[str, Any], metric: str) -> dict[str, Any]:
    found, measured = row["difference"], row[metric]
    plain = {key: row[key] for key in ("kind", "name", "against", "features")}
    plain |= {metric: measured["estimate"], f"{metric}_low": measured["low"], f"{metric}_high": measured["high"]}
    plain |= {"difference": found["estimate"], "difference_low": found["low"], "difference_high": found["high"]}
    return plain | {key: found[key] for key in ("p", "p_adjusted", "distinguishable")}
