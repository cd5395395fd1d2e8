"""`uglyduck bundle`: what an offline code competition asks for, in one folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from uglyduck.commands.arguments import FinishedRun

_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def bundle(
    run: FinishedRun,
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    user: Annotated[str, typer.Option(help="Account that uploads.")] = "user",
    name: Annotated[str, typer.Option(help="Name of the data set.")] = "uglyduck-bundle",
    competition: Annotated[str, typer.Option(help="Competition to submit to.")] = "isic-2024-challenge",
    download_wheels: Annotated[
        bool, typer.Option("--download-wheels", help="Fetch and pack the wheels of everything that scoring needs.")
    ] = False,
    python: Annotated[str, typer.Option(help="Python of the target machine, for these wheels.")] = _PYTHON,
    wheels: Annotated[Path | None, typer.Option(help="Folder of wheels to pack; none by default.")] = None,
    wheel: Annotated[Path | None, typer.Option(help="The uglyduck wheel; built from the sources by default.")] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="Ask for a kernel with a GPU.")] = False,
    table_alone: Annotated[bool, typer.Option("--table-alone", help="Leave image models out.")] = False,
    hours: Annotated[
        float | None,
        typer.Option(
            help="Time budget for table and crops: image models that exceed it are left out. When it is over, or after "
            "8 hours without one, the kernel scores the table alone.",
            min=0.01,
        ),
    ] = None,
    lesions: Annotated[int, typer.Option(help="How many lesions will be scored.", min=1)] = 500_000,
    speed: Annotated[float, typer.Option(help="How many times as fast the target is as this machine.", min=0.01)] = 1.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would leave this machine; write nothing.")] = (
        False
    ),
) -> None:
    """Write a folder to upload as one data set: models, our wheel, and a kernel that needs no network.

    The target machine needs the libraries in requirements.txt, in the versions installed here: --download-wheels packs
    them. The time that the crops will take is measured first. No training lesion is included. See docs/bundle.md for
    uploading.

    Example: `uglyduck bundle runs/first --out bundle --user jane --download-wheels`
    """
    from engine.console import log, start_logging
    from engine.outputs import try_folder
    from engine.scratch import scratch
    from submissions.bundle.contents import held_by
    from submissions.bundle.wheel import build_wheel
    from submissions.bundle.writing import Upload, refuse_occupied, write_bundle
    from uglyduck.run.run import open_run
    from uglyduck.studies.export import pack, wheels_to_pack

    start_logging()
    upload = Upload(user, name, competition, gpu)
    if not dry_run:
        try_folder(out)
        refuse_occupied(out)
    content = pack(open_run(run), table_alone=table_alone, hours=hours, lesions=lesions, speed=speed)
    with scratch() as place:
        more = wheels_to_pack(content, wheels, place / "wheels" if download_wheels else None, python)
        ours = wheel or build_wheel(Path(__file__).parents[2], place / "wheel")
        target = place / "bundle" if dry_run else out
        files = write_bundle(target, content, [ours, *more], upload)
        if dry_run:
            for file in files:
                typer.echo(f"{(target / file).stat().st_size:>12,}  {file}  ({held_by(file)})")
            return
    log.info("%d files in %s; docs/bundle.md says how to upload them", len(files), out)
