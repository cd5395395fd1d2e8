"""`uglyduck simulate`: a SLICE-3D-shaped cohort with a known optimum."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def simulate(
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    lesions: Annotated[int, typer.Option(help="Lesions of the train table.")] = 20_000,
    images: Annotated[bool, typer.Option("--images", help="Also draw the crops.")] = False,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.", min=0)] = 0,
    test_lesions: Annotated[int | None, typer.Option(help="Lesions of the test table; a quarter by default.")] = None,
    malignant: Annotated[int | None, typer.Option(help="Malignant lesions; the published share by default.")] = None,
    shift: Annotated[str | None, typer.Option(help="Population of the test table: hospital or prevalence.")] = None,
    audit: Annotated[
        bool, typer.Option("--audit", help="Compare the train table with the published figures; writes audit.json.")
    ] = False,
) -> None:
    """Simulate a cohort shaped like SLICE-3D, whose probabilities of malignancy are known.

    Example: `uglyduck simulate cohort --lesions 20000 --malignant 40`
    """
    from cohort.simulator import write_folder

    train = write_folder(
        out, lesions, images=images, seed=seed, test_lesions=test_lesions, malignant=malignant, shift=shift
    )
    typer.echo(f"{lesions:,} lesions in {out}")
    if audit:
        from uglyduck.simulator_audit import audit_cohort

        typer.echo(audit_cohort(train.metadata, out / "audit.json"))
