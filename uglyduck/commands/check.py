"""`uglyduck check`: is this data fit for use, and can this run be trusted?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from uglyduck.commands.arguments import Join

if TYPE_CHECKING:
    from cohort.findings import Finding


def check(
    data: Annotated[
        Path,
        typer.Argument(
            help="A lesion table, a folder with the official files, a configuration, or a run folder.",
            metavar="DATA|RUN",
        ),
    ],
    duplicates: Annotated[Path | None, typer.Option(help="ISIC 2020: the list of duplicate pairs.")] = None,
    groups: Annotated[Path | None, typer.Option(help="ISIC 2018: lesion groupings or HAM10000 metadata.")] = None,
    ungrouped: Annotated[bool, typer.Option("--ungrouped", help="Accept a table without patients.")] = False,
    join: Join = None,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Print a mapping of columns to try, as TOML to paste.")
    ] = False,
    metadata: Annotated[Path | None, typer.Option(help="With a run: new lesions to compare with training.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also list checks that found nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a table, a folder of tables (UD101 ...) or a run (UD201 ...), and print coded findings.

    Findings of a run also go to RUN/findings.json. Exit status 2 if any finding is an error.

    Example: `uglyduck check isic-2024-challenge`

    Example: `uglyduck check clinic.csv --suggest`

    Example: `uglyduck check runs/first --metadata test-metadata.csv`
    """
    from engine.errors import InputError
    from uglyduck.terminal.findings import show_findings

    if all((data / name).is_file() for name in ("config.toml", "manifest.json")):
        from uglyduck.studies.checks import check_run

        findings = check_run(data, metadata)
    else:
        from cohort.checking import check_data

        if metadata is not None:
            raise InputError("--metadata goes with a run", where=str(data), remedy="give a run folder")
        if suggest:
            from cohort.suggesting import suggest as mapping_of

            typer.echo(mapping_of(data, join), nl=False)
            return
        if data.suffix == ".toml":
            findings = _of_configuration(data)
        else:
            findings = check_data(data, duplicates=duplicates, groups=groups, ungrouped=ungrouped, join=join)
    show_findings(str(data), findings, every=every, hidden={"clear"}, as_json=as_json)
    errors = [finding for finding in findings if finding.is_error]
    if errors:
        first = errors[0]
        raise InputError(
            f"{len(errors)} error{'s' if len(errors) > 1 else ''} found",
            where=str(data),
            remedy=f"{first.code}: {first.measured.rstrip('.')}",
        )


def _of_configuration(path: Path) -> list[Finding]:
    """Findings about a configuration's table, read as the configuration says."""
    from cohort.checking import check_data
    from uglyduck.run.config import load_config

    data = load_config(path).data
    return check_data(
        data.metadata,
        duplicates=data.duplicates,
        groups=data.groups,
        ungrouped=data.ungrouped,
        columns=data.mapping,
        join=data.join or None,
    )
