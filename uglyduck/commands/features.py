"""`uglyduck features`: the feature table and its dictionary."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from uglyduck.commands.arguments import Groups, Join, Strict, run_argument
from uglyduck.terminal.answers import answer


def features(
    folder: Annotated[Path, run_argument("Run folder.")],
    metadata: Annotated[
        Path | None, typer.Option(help="Other lesions: compute their features with the run's constants.")
    ] = None,
    image_scores: Annotated[
        Path | None, typer.Option(help="Their image scores: Parquet file of isic_id, score[, embedding].")
    ] = None,
    groups: Groups = None,
    join: Join = None,
    strict: Strict = False,
    out: Annotated[Path | None, typer.Option(help="Where the other lesions' features go, as Parquet.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Bring a run's features.parquet and features.json up to date, or compute the features of other lesions.

    Example: `uglyduck features runs/first --metadata test-metadata.csv --out test-features.parquet`
    """
    from engine.console import start_logging
    from engine.errors import InputError
    from engine.outputs import try_file
    from uglyduck.studies.features import bring_up_to_date, build_for
    from uglyduck.studies.new_lesions import NewTable

    start_logging()
    if (metadata is None) != (out is None):
        raise InputError("--metadata and --out belong together", remedy="give both or neither")
    table = NewTable.named(metadata, image_scores=image_scores, groups=groups, join=join, strict=strict)
    if table is not None and out is not None:
        try_file(out)
        told = build_for(folder, table, out)
    else:
        told = bring_up_to_date(folder)
    answer(told, _show, as_json=as_json)


def _show(told: dict[str, Any]) -> None:
    typer.echo(f"{told['path']}: {told['lesions']} lesions, {sum(told['groups'].values())} features")
    for name, count in told["groups"].items():
        typer.echo(f"  {name:<11} {count}")
