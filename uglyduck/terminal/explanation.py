"""An explanation as tables on the terminal."""

from __future__ import annotations

from typing import Any

import polars as pl
import typer
from rich import box
from rich.table import Table
from rich.text import Text

from uglyduck.terminal.answers import console, say_notes

_FEATURES = 12


def show_explanation(report: dict[str, Any]) -> None:
    """Print the shares of groups and features, and the most suspicious lesion of the file `lesions` as an example."""
    counts, lesions = report["counts"], pl.read_parquet(report["lesions"])
    source = "" if report["data"] == "unknown" else f", {report['data']} data"
    typer.echo(
        f"{report['explains']}{source}: {counts['explained']:,} of {counts['lesions']:,} lesions explained, "
        f"{counts['shown']:,} of them, of {counts['shown_patients']:,} patients, one by one"
    )
    wide = console(120)
    wide.print(_groups(report), _features(report["features"][:_FEATURES]))
    if lesions.height:
        wide.print(_lesion(lesions.filter(pl.col("isic_id") == lesions["isic_id"][0])))
    say_notes(report["notes"])
    typer.echo(f"lesion by lesion: {report['lesions']}")


def _groups(report: dict[str, Any]) -> Table:
    learners = list(report["groups"][0]["by_learner"])
    table = _table("Share of what moves the log odds, by group", ["group", "features", "blend", "short lists"])
    for learner in learners:
        table.add_column(learner, justify="right")
    for row in report["groups"]:
        shares = [row["share"], row["share_shown"], *(row["by_learner"][learner] for learner in learners)]
        table.add_row(row["group"], str(row["features"]), *(f"{share:.1%}" for share in shares))
    return table


def _features(rows: list[dict[str, Any]]) -> Table:
    table = _table("Features that move them most", ["feature", "group", "share"])
    for row in rows:
        table.add_row(row["feature"], row["group"], f"{row['share']:.1%}")
    return table


def _lesion(rows: pl.DataFrame) -> Table:
    first = rows.row(0, named=True)
    usual = "patient's usual" if first["against"] == "patient" else "cohort's base"
    title = f"For example {first['isic_id']}, patient {first['patient_id']}, score {first['score']:.4f}"
    table = _table(title, [f"raised above the {usual} by", "log odds", "value", "patient's median"])
    for row in rows.iter_rows(named=True):
        known = (Text(row[name] or "missing") for name in ("value", "patient_median"))
        table.add_row(row["feature"], f"{row['contribution']:+.3f}", *known)
    return table


def _table(title: str, columns: list[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=Text(title), title_justify="left")
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position == 0 or column == "group" else "right")
    return table
