"""A run's figures as a table on the terminal."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from engine.files import read_json
from submissions.run_folder import RunFolder


def show_metrics(folder: RunFolder) -> None:
    """Print the out-of-fold figures of a finished run, each with its interval."""
    stored = read_json(folder.metrics)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(metrics_table(stored))
    for line in remarks(stored):
        console.print(line, highlight=False, soft_wrap=True)


def remarks(stored: dict[str, Any]) -> list[str]:
    """What to know beside the table of `metrics.json`: blends, comparisons, the best possible, calibration."""
    lines = []
    for method, found in stored["blends"]["methods"].items():
        if method != "mean":
            lines.append(f"blend {method} minus mean, pAUC: {_signed(found['minus_mean']['pauc'])}")
    lines.extend(
        f"{pair['first']} minus {pair['second']}, pAUC: {_signed(pair['difference']['pauc'])}"
        for pair in stored["comparisons"]
    )
    for name, found in (stored["optimum"] or {}).items():
        best = found["pooled"]["pauc"]["estimate"]
        lines.append(f"best possible from {name}, pAUC: {best:.4f}; blend {_signed(found['blend_minus']['pauc'])}")
    calibration = stored["calibration"]
    ratio, error = calibration["expected_over_observed"], calibration["calibration_error"]
    lines.append(
        f"calibration ({calibration['method']}): expected over observed {_cell(ratio)}, "
        f"error {error['estimate']:.5f}, Brier skill {_cell(calibration['brier_skill'])}"
    )
    return lines


def _signed(difference: dict[str, Any]) -> str:
    if difference["estimate"] is None or difference["low"] is None:
        return "undefined"
    verdict = "" if difference["distinguishable"] else ", not distinguishable"
    return f"{difference['estimate']:+.4f} [{difference['low']:+.4f}, {difference['high']:+.4f}]{verdict}"


def show_nested(folder: RunFolder) -> None:
    """Print the fully nested figures, and what they differ by from the usual ones."""
    stored = read_json(folder.nested_metrics)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(metrics_table(stored, title="Fully nested"))
    difference = _signed(stored["nested_minus_usual"]["pooled"]["pauc"])
    console.print(f"nested minus out-of-fold blend, pAUC: {difference}", highlight=False, soft_wrap=True)


def metrics_table(stored: dict[str, Any], *, title: str = "Out of fold") -> Table:
    """The table of `metrics.json`: a row for each learner and the blend."""
    scores: dict[str, Any] = stored["scores"]
    first = next(iter(scores.values()))
    counts = f"{first['lesions']:,} lesions of {first['patients']:,} patients, {first['malignant']:,} malignant"
    table = Table(
        title=f"{title}, {counts}",
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
