"""`uglyduck check`: is this data fit for use, and can this run be trusted?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def check(
    data: Annotated[
        Path,
        typer.Argument(help="A lesion table, a folder with the official files, or a run folder.", metavar="DATA|RUN"),
    ],
    duplicates: Annotated[Path | None, typer.Option(help="ISIC 2020: the list of duplicate pairs.")] = None,
    groups: Annotated[Path | None, typer.Option(help="ISIC 2018: lesion groupings or HAM10000 metadata.")] = None,
    ungrouped: Annotated[bool, typer.Option("--ungrouped", help="Accept a table without patients.")] = False,
    metadata: Annotated[Path | None, typer.Option(help="Of a run: new lesions to compare with training.")] = None,
    every: Annotated[bool, typer.Option("--all", help="List what is clear, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a table, a folder of tables (UD101 ...) or a run (UD201 ...), and print coded findings.

    Findings of a run also go to RUN/findings.json. Exit status 2 if any finding is an error.

    Example: `uglyduck check isic-2024-challenge`

    Example: `uglyduck check runs/first --metadata test-metadata.csv`
    """
    import json
    import sys

    from rich.console import Console

    from cohort.findings import as_report
    from engine.errors import InputError
    from uglyduck.terminal.findings import findings_table, summary

    if all((data / name).is_file() for name in ("config.toml", "manifest.json")):
        from uglyduck.studies.checks import check_run

        findings = check_run(data, metadata)
    else:
        from cohort.checking import check_data

        if metadata is not None:
            raise InputError("--metadata goes with a run", where=str(data), remedy="give a run folder")
        findings = check_data(data, duplicates=duplicates, groups=groups, ungrouped=ungrouped)
    if as_json:
        typer.echo(json.dumps(as_report(str(data), findings), ensure_ascii=False))
    else:
        shown = [finding for finding in findings if every or finding.status != "clear"]
        console = Console(width=None if sys.stdout.isatty() else 160)
        console.print(findings_table(shown))
        typer.echo(f"\n{data}: {summary(findings)}")
    errors = [finding for finding in findings if finding.is_error]
    if errors:
        first = errors[0]
        raise InputError(
            f"{len(errors)} error{'s' if len(errors) > 1 else ''} found",
            where=str(data),
            remedy=f"{first.code}: {first.measured.rstrip('.')}",
        )
