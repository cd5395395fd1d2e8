"""`uglyduck clean`: delete what a run keeps but no longer needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uglyduck.commands.arguments import run_argument


def clean(
    folder: Annotated[Path, run_argument("Run folder.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted, and delete nothing.")] = False,
) -> None:
    """Delete the image models that a run made earlier and its configuration no longer asks for.

    A run itself never deletes them: they took long to train, and are taken back when they are asked for again.

    Example: `uglyduck clean runs/first --dry-run`
    """
    import shutil

    from uglyduck.run.run import open_run

    run = open_run(folder)
    with run.folder.locked():
        kept, wanted = run.folder.kept_images, set(run.config.image_models)
        models = sorted(spec.parent for spec in kept.rglob("spec.json"))
        models += sorted(
            spec.parent for spec in run.folder.images.glob("*/spec.json") if spec.parent.name not in wanted
        )
        for model in models:
            size = sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
            if not dry_run:
                shutil.rmtree(model)
            typer.echo(f"{'would delete' if dry_run else 'deleted'} {model}: an image model, {size:,} bytes")
        if not models:
            typer.echo("nothing to delete")
