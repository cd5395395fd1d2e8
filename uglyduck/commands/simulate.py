"""`uglyduck simulate`: a SLICE-3D-shaped cohort with a known optimum."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def simulate(
    out: Annotated[Path, typer.Argument(help="folder to write")],
    lesions: Annotated[int, typer.Option(help="lesions of the train table")] = 20_000,
    images: Annotated[bool, typer.Option("--images", help="also draw the crops")] = False,
    seed: Annotated[int, typer.Option(help="same seed, same bytes")] = 0,
    test_lesions: Annotated[int | None, typer.Option(help="lesions of the test table; a quarter by default")] = None,
    malignant: Annotated[int | None, typer.Option(help="malignant lesions; the published share by default")] = None,
) -> None:
    """Simulate a cohort shaped like SLICE-3D.

    Example: `uglyduck simulate cohort --lesions 20000 --malignant 40`
    """
    from cohort.simulator import write_folder

    write_folder(out, lesions, images=images, seed=seed, test_lesions=test_lesions, malignant=malignant)
    typer.echo(f"{lesions} lesions in {out}")
