"""`uglyduck bundle`: what an offline code competition asks for, in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bundle(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.", metavar="RUN")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    user: Annotated[str, typer.Option(help="Account that uploads.")] = "user",
    name: Annotated[str, typer.Option(help="Name of the data set.")] = "uglyduck-bundle",
    competition: Annotated[str, typer.Option(help="Competition to answer.")] = "isic-2024-challenge",
    wheels: Annotated[
        Path | None, typer.Option(help="Folder of wheels that the target machine lacks; none by default.")
    ] = None,
    wheel: Annotated[Path | None, typer.Option(help="Our wheel; built from the sources by default.")] = None,
    image_hours: Annotated[
        float, typer.Option(help="Time for table and crops, after which the table alone is scored.", min=0.01)
    ] = 8.0,
) -> None:
    """Write a folder to upload as one data set: models, our wheel, and a kernel that answers without network.

    Libraries are not included unless their wheels are given; requirements.txt names them with the versions of the run.
    No training lesion is included. See docs/bundle.md for uploading.

    Example: `uglyduck bundle runs/first --out bundle --user jane`
    """
    from tempfile import TemporaryDirectory

    from engine.console import log, start_logging
    from engine.errors import InputError
    from engine.outputs import try_folder
    from image_embeddings.spec import Spec
    from submissions.bundle.wheel import build_wheel
    from submissions.bundle.writing import Content, Upload, write_bundle
    from uglyduck.run.config import write_config
    from uglyduck.run.run import open_run
    from uglyduck.studies.export import files_to_score, prior, without_places

    start_logging()
    try_folder(out)
    opened = open_run(run)
    opened.fitted()  # refuses a run that cannot score
    more = sorted(wheels.glob("*.whl")) if wheels else []
    if wheels and not more:
        raise InputError("no wheels in this folder", where=str(wheels), remedy="leave --wheels out or fill it")
    with TemporaryDirectory(prefix="uglyduck-") as scratch:
        config = Path(scratch, "config.toml")
        write_config(without_places(opened.config), config)
        ours = wheel or build_wheel(Path(__file__).parents[2], Path(scratch, "wheel"))
        content = Content(
            run={"config.toml": config, **files_to_score(opened)},
            prior=prior(opened),
            images=bool(opened.image_models),
            networks=any(Spec.read(opened.image_folder(model)).preset for model in opened.image_models),
            image_seconds=image_hours * 3600,
            wheels=[ours, *more],
        )
        files = write_bundle(out, content, Upload(user, name, competition))
    log.info("%d files in %s; docs/bundle.md says how to upload them", len(files), out)
