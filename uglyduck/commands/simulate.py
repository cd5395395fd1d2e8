"""`uglyduck simulate`: a SLICE-3D-shaped cohort with a known optimum."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def simulate(
    out: Annotated[Path | None, typer.Argument(help="Folder to write; with --audit it may be left out.")] = None,
    lesions: Annotated[
        int | None, typer.Option(help="Lesions of the train table; 20,000, or 401,059 for an audit alone.")
    ] = None,
    images: Annotated[bool, typer.Option("--images", help="Also draw the crops.")] = False,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.", min=0)] = 0,
    test_lesions: Annotated[int | None, typer.Option(help="Lesions of the test table; a quarter by default.")] = None,
    malignant: Annotated[int | None, typer.Option(help="Malignant lesions; the published share by default.")] = None,
    shift: Annotated[
        str | None, typer.Option(help="Population of the test table: hospital, prevalence or both.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing cohort.")] = False,
    audit: Annotated[
        bool,
        typer.Option(
            "--audit", help="Compare the train cohort with the published figures; also writes OUT/audit.json."
        ),
    ] = False,
    real: Annotated[
        Path | None,
        typer.Option("--real", help="With --audit: also compare with these real rows: SLICE-3D's train-metadata.csv."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="With --audit: list every figure.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the audit as one JSON object.")] = False,
) -> None:
    """Simulate a cohort shaped like SLICE-3D, whose probabilities of malignancy are known.

    With --audit, the exit status is 2 if a figure is outside its bounds.

    Example: `uglyduck simulate cohort --lesions 20000 --malignant 40`
    """
    from cohort.simulator import refuse_existing, write_folder
    from cohort.simulator import simulate as draw
    from engine.console import log, start_logging
    from engine.errors import InputError
    from engine.outputs import try_folder

    start_logging()
    if out is None and not audit:
        raise InputError("no folder to write to", remedy="name one, or add --audit to look at the figures alone")
    if as_json and not audit:
        raise InputError("--json prints the audit, and there is none", remedy="add --audit")
    if real is not None and not audit:
        raise InputError("--real is what the audit compares with, and there is none", remedy="add --audit")
    rows = None
    if real is not None:
        from uglyduck.studies.real_rows import read_real

        rows = read_real(real)
    if out is not None:
        try_folder(out)
        if not force:
            refuse_existing(out, remedy="choose another folder, or say --force")
    if out is None:
        train = draw(401_059 if lesions is None else lesions, seed=seed, malignant=malignant)
    else:
        size = 20_000 if lesions is None else lesions
        train = write_folder(
            out, size, images=images, seed=seed, test_lesions=test_lesions, malignant=malignant, shift=shift
        )
        log.info("%s lesions in %s", f"{size:,}", out)
    if audit:
        from uglyduck.terminal.simulator_audit import show_audit

        show_audit(train, None if out is None else out / "audit.json", as_json=as_json, every=every, real=rows)
