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
    """Delete what a run keeps from earlier configurations: image models and results that nothing needs any more.

    Scores of new crops, which are kept for the next command about the same crops, are deleted too.

    Results are model scores, stored for reuse by the run itself, ablations, tuning and other studies. Those requested
    with the present features and folds stay, and so do those of unknown use. A run itself never deletes any of this: it
    took long to compute, and may be needed again.

    Example: `uglyduck clean runs/first --dry-run`
    """
    import shutil

    from uglyduck.run.run import open_run

    run = open_run(folder)
    done = "would delete" if dry_run else "deleted"
    with run.folder.locked():
        kept, wanted = run.folder.kept_images, set(run.config.image_models)
        models = sorted(spec.parent for spec in kept.rglob("spec.json"))
        models += sorted(
            spec.parent for spec in run.folder.images.glob("*/spec.json") if spec.parent.name not in wanted
        )
        doomed = [(model, "an image model") for model in models]
        doomed += [
            (scored, "scores of new crops")
            for scored in sorted(run.folder.images.glob("*/scored"))
            if scored.parent not in models
        ]
        for place, what in doomed:
            size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
            if not dry_run:
                shutil.rmtree(place)
            typer.echo(f"{done} {place}: {what}, {size:,} bytes")
        if results := run.results.outdated():
            size = sum(path.stat().st_size for path in results)
            if not dry_run:
                for path in results:
                    path.unlink()
            typer.echo(f"{done} {run.folder.results}: {len(results):,} files of results, {size:,} bytes")
        if not (doomed or results):
            typer.echo("nothing to delete")
