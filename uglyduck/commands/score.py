"""`uglyduck score`: how good a score is, with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uglyduck.terminal.answers import answer, console, say_notes

if TYPE_CHECKING:
    from decimal import Decimal

    import polars as pl
    from rich.table import Table


def score(
    predictions: Annotated[Path, typer.Argument(help="CSV or Parquet: id and score.", metavar="PREDICTIONS")],
    labels: Annotated[Path, typer.Option(help="CSV or Parquet: id, target, and if known patient_id and fold.")],
    column: Annotated[str | None, typer.Option(help="Score column, if there are several.")] = None,
    by: Annotated[str | None, typer.Option(help="`fold` adds a row for each fold.")] = None,
    vs: Annotated[Path | None, typer.Option(help="Other predictions of the same lesions, to compare with.")] = None,
    vs_column: Annotated[str | None, typer.Option(help="Score column of the other predictions.")] = None,
    metric: Annotated[
        list[str] | None, typer.Option(help="Repeat for several: pauc, auc, setop15, average_precision, nnt80, …")
    ] = None,
    explain_variants: Annotated[
        bool,
        typer.Option(
            "--explain-variants", help="Also show what other ways to compute pAUC give, most of them mistakes."
        ),
    ] = False,
    claimed: Annotated[
        str | None, typer.Option(help="A figure quoted elsewhere, such as 0.1892: says which way gives it.")
    ] = None,
    replicates: Annotated[int, typer.Option(help="Bootstrap replicates.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Measure a score: pAUC, AUC, top-15 retrieval; pooled and averaged over folds, with patient-bootstrap intervals.

    Ids are in `isic_id` or `image_name`; predictions and labels must hold the same lesions. A run's `oof.parquet`
    serves as both. Without `--column` the score is `blend`, else `score`, `prob` or `prediction`, else a `target` or
    `malignant` that holds more than 0 and 1, else the only column of numbers. Row indices do not count.

    Example: `uglyduck score runs/first/oof.parquet --labels runs/first/oof.parquet --by fold`

    Example: `uglyduck score submission.csv --labels labels.csv --vs baseline.csv --json`

    Example: `uglyduck score submission.csv --labels labels.csv --claimed 0.1892`
    """
    from cv_folds.metrics.mistaken import quoted
    from cv_folds.scored import read_scored
    from cv_folds.scoring import DEFAULT_METRICS, summarise
    from engine.errors import InputError

    if by not in {None, "fold"}:
        raise InputError(f"nothing is known by {by!r}", where="--by", remedy="use --by fold")
    if vs_column and vs is None:
        raise InputError("there is nothing to compare with", where="--vs-column", remedy="name a table with --vs")
    figure = None if claimed is None else quoted(claimed)
    scored = read_scored(predictions, labels, column=column, other=vs, other_column=vs_column)
    if by and "fold" not in scored.frame.columns:
        raise InputError("neither table has a column fold", where="--by", remedy="give labels with fold")
    result = summarise(
        scored.frame,
        "score",
        other="other" if vs else None,
        metrics=metric or DEFAULT_METRICS,
        replicates=replicates,
        seed=seed,
    )
    result |= {"predictions": str(predictions), "labels": str(labels), "column": scored.column}
    if vs:
        result["other"] |= {"predictions": str(vs), "column": scored.other_column}
    result["notes"] = [*scored.notes, *result["notes"]]
    if explain_variants or figure is not None:
        result["variants"] = _variants(scored.frame, figure)
    answer(result, lambda found: _show(found, by_fold=by == "fold", claimed=claimed), as_json=json_)


def _variants(frame: pl.DataFrame, claimed: Decimal | None) -> list[dict[str, Any]]:
    from cv_folds.metrics.mistaken import VARIANTS, matching, variants

    fold = frame["fold"].to_numpy() if "fold" in frame.columns else None
    found = variants(frame["target"].to_numpy(), frame["score"].to_numpy(), fold)
    matched = matching(found, claimed) if claimed is not None else []
    return [
        {"name": each.name, "value": found[each.name], "meaning": each.meaning, "claimed": each.name in matched}
        for each in VARIANTS
        if each.name in found
    ]


def _show_variants(rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table

    table = Table(
        "gives", "", "by this way: what a constant and a perfect score have", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for row in rows:
        way = f"[bold]{row['name']}[/bold]\n{row['meaning']}"
        table.add_row(f"{row['value']:.5f}", "claimed" if row["claimed"] else "", way)
    console(80).print(table)


def _show(result: dict[str, Any], *, by_fold: bool, claimed: str | None) -> None:
    page = console(80)
    people = f", {result['patients']:,} patients" if result["patients"] is not None else ""
    typer.echo(f"{result['lesions']:,} lesions, {result['malignant']:,} malignant{people}")
    typer.echo(f"score: {result['column']} of {result['predictions']}")
    page.print(_table(result, result["metrics"], by_fold=by_fold))
    if "other" in result:
        other = result["other"]
        typer.echo(f"compared with: {other['column']} of {other['predictions']}")
        page.print(_table(result["difference"], result["metrics"], by_fold=by_fold))
    drawn = f"{result['replicates']:,} draws of {result['unit']}s, seed {result['seed']}"
    typer.echo(f"{result['level']:.0%} intervals from {drawn}")
    say_notes(result["notes"])
    if "variants" in result:
        _show_variants(result["variants"])
        if claimed is not None and not any(row["claimed"] for row in result["variants"]):
            typer.echo(f"no way listed here gives {claimed}")


def _table(block: dict[str, Any], labels: dict[str, str], *, by_fold: bool) -> Table:
    from rich import box
    from rich.table import Table

    from cv_folds import formats
    from cv_folds.metrics import METRICS

    difference = "distinguishable" in next(iter(block["pooled"].values()))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("over", no_wrap=True)
    table.add_column("metric")
    table.add_column("difference" if difference else "estimate", justify="right")
    table.add_column("interval", no_wrap=True)
    if difference:
        table.add_column("", no_wrap=True)
    rows = {"pooled": block["pooled"]}
    rows |= {"fold mean": block["mean_over_folds"]} if block["mean_over_folds"] else {}
    rows |= {f"fold {row['fold']}": row for row in block["by_fold"] or ()} if by_fold else {}
    for name, cells in rows.items():
        for position, (metric, label) in enumerate(labels.items()):
            cell, digits = cells[metric], METRICS[metric].digits
            numbers = (write(cell, digits, signed=difference) for write in (formats.estimate, formats.ends))
            first = name if position == 0 else ""
            table.add_row(first, label, *numbers, *([formats.verdict(cell)] if difference else []))
        table.add_section()
    return table
