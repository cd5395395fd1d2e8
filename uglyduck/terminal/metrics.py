"""A run's figures as a table on the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from rich import box
from rich.table import Table

from cv_folds.formats import difference, estimate, with_interval
from cv_folds.hospital_share import in_words
from cv_folds.metrics import AUC, PAUC
from engine.files import read_json
from submissions.run_folder import RunFolder
from uglyduck.terminal.answers import console
from uglyduck.terminal.printed import write_table


def show_metrics(folder: RunFolder) -> None:
    """Print the out-of-fold figures of a finished run, each with its interval, and write the table next to them."""
    stored = read_json(folder.metrics)
    _show(metrics_table(stored), folder.metrics, remarks(stored))


def remarks(stored: dict[str, Any]) -> list[str]:
    """What to know next to the table of `metrics.json`: blends, comparisons, the best possible, calibration."""
    over_folds = stored["scores"]["blend"]["mean_over_folds"][PAUC.name]
    lines = [f"blend, {PAUC.label}, mean over folds: {with_interval(over_folds)}"]
    for method, found in stored["blends"]["methods"].items():
        if method != "mean":
            lines.append(f"blend {method} minus mean, {PAUC.label}: {difference(found['minus_mean'][PAUC.name])}")
    lines.extend(_table_image_both(stored))
    lines.extend(
        f"{name}, {AUC.label} and the hospital: {in_words(found)}"
        for name, found in stored.get("hospital", {}).items()
        if found is not None
    )
    for name, found in (stored["optimum"] or {}).items():
        best = found["pooled"][PAUC.name]["estimate"]
        lines.append(
            f"best possible from {name}, {PAUC.label}: {best:.4f}; blend {difference(found['blend_minus'][PAUC.name])}"
        )
    lines.extend(stored["scores"]["blend"]["notes"])
    calibration = stored["calibration"]
    ratio, error = calibration["expected_over_observed"], calibration["calibration_error"]
    lines.append(
        f"calibration ({calibration['method']}): expected over observed {with_interval(ratio)}, "
        f"error {error['estimate']:.5f}, Brier skill {with_interval(calibration['brier_skill'])}"
    )
    return lines


def _table_image_both(stored: dict[str, Any]) -> list[str]:
    """What the table, the crops and both reach, and what both gain, in one line; empty for a run without crops."""
    pairs = {pair["second"]: difference(pair["difference"][PAUC.name]) for pair in stored["comparisons"]}
    if not pairs:
        return []
    reached = [
        f"{name} {estimate(stored['scores'][column]['pooled'][PAUC.name])}"
        for name, column in (*((name, name) for name in pairs), ("both", "blend"))
    ]
    gained = [f"both minus {name}: {found}" for name, found in pairs.items()]
    return [f"{PAUC.label}, {', '.join(reached)}; {'; '.join(gained)}"]


def show_nested(folder: RunFolder) -> None:
    """Print the fully nested figures and their difference from the usual ones, and write the table next to them."""
    stored = read_json(folder.nested_metrics)
    gap = difference(stored["nested_minus_usual"]["pooled"][PAUC.name])
    remark = f"nested minus out-of-fold blend, {PAUC.label}: {gap}"
    _show(metrics_table(stored, title="Fully nested"), folder.nested_metrics, [remark])


def _show(table: Table, stored: Path, lines: list[str]) -> None:
    console(100).print(table)
    write_table(table, stored.with_suffix(""))
    for line in lines:
        typer.echo(line)


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
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("score")
    for label in first["metrics"].values():
        table.add_column(label, no_wrap=True)
    for name, measured in scores.items():
        table.add_row(name, *(with_interval(measured["pooled"][metric]) for metric in first["metrics"]))
    return table
