"""The image stage of a run: a model of each fold trained on the crops, and applied to new ones, in another process."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from engine.console import log
from engine.errors import InputError
from engine.files import read_json
from features.patients.image_tables import read_image_table
from image_embeddings.process import call
from image_embeddings.progress import listening
from image_embeddings.requests import ApplyRequest, PerturbRequest, Request, TrainRequest
from uglyduck.run.config import ImagesConfig
from uglyduck.run.run import Run
from uglyduck.stages.stage import Stage
from uglyduck.terminal.images import crop_progress

KEPT = "images.kept"
"""Folder of a run for image models that are not wanted now; `uglyduck clean` deletes them."""
_SPEC = "spec.json"


def train(run: Run) -> list[Path]:
    """Train the image model of each fold, and score each training lesion by the one that never saw its patient.

    A killed training goes on, and the model that the run wants is kept if it is there. Another one, of other crops,
    labels, folds, settings or code, is moved to `images.kept`, and taken back when it is wanted again.

    Returns:
        The files of the model folder that later stages and applying it need.

    Raises:
        InputError: The crops, the settings or the weights are wrong, or torch is missing.
    """
    folder = run.folder.images
    _train_in(folder, run, run.config.images)
    files = [folder / name for name in read_json(folder / _SPEC)["files"]]
    return [folder / _SPEC, *training_tables(run), folder / "metrics.json", *files]


def training_tables(run: Run) -> list[Path]:
    """What the image model says of the training lesions, each by the model that never saw the patient.

    Returns:
        The Parquet file of isic_id and score, and, where the model has embeddings, that of isic_id, score and embedding
        (with repeats also embedding_seed1 and so on).
    """
    embeddings = run.folder.image_embeddings
    return [run.folder.image_scores, *([embeddings] if embeddings.is_file() else [])]


def new_table(run: Run, images: Path, ids: pl.Series, out: Path) -> Path:
    """Write what the run's fold models say of new crops, as Parquet.

    Args:
        run: A finished run with images.
        images: Store of the crops.
        ids: isic_id of the lesions to score.
        out: isic_id, score and, where the model has embeddings, a column for each network (embedding_fold0 and so on),
            in the order of `ids`; null where the crop is absent or cannot be read, which is logged.

    Returns:
        `out`.

    Raises:
        InputError: The run has no image model, it was changed, or `images` is no store.
    """
    folder = run.folder.images
    if run.config.data.images is None:
        raise InputError(
            "this run has no image model", where=str(images), remedy="leave --images out, or run with [data] images"
        )
    run.manifest.check(folder / _SPEC)
    embeddings = len(training_tables(run)) > 1
    _answer(
        ApplyRequest(models=(folder,), images=images, ids=tuple(ids), out=out, embeddings=embeddings, **_compute(run))
    )
    missing = pl.read_parquet(out, columns=["score"])["score"].null_count()
    log.info("images    %s crops scored, %s missing", f"{len(ids) - missing:,}", f"{missing:,}")
    return out


def new_image_scores(
    run: Run, ids: pl.Series, *, images: Path | None = None, table: Path | None = None
) -> pl.DataFrame | None:
    """What image models say of lesions to score, from their crops or from a table.

    Returns:
        `isic_id, score` and embeddings; None where neither is given, or not one crop can be read: the table alone is
        scored then.

    Raises:
        InputError: Both are given, or one of them cannot be read.
    """
    if images is not None and table is not None:
        raise InputError("both crops and a table of their scores", where="--images", remedy="give one of them")
    if images is not None:
        with TemporaryDirectory(prefix="uglyduck-") as scratch:
            scores = pl.read_parquet(new_table(run, images, ids, Path(scratch, "scores.parquet")))
        return None if scores["score"].null_count() == len(scores) else scores
    return None if table is None else read_image_table(table)


def train_twin(run: Run) -> Path:
    """Train the run's image model once more, with contrast equalised if it is not, and the other way round.

    Returns:
        The folder of the model; one that is finished is kept.

    Raises:
        InputError: As in `train`.
    """
    settings = run.config.images.model_copy(update={"clahe": not run.config.images.clahe})
    folder = run.folder.root / "images-twin"
    _train_in(folder, run, settings)
    return folder


def perturbed_scores(run: Run, folder: Path, ids: pl.Series) -> pl.DataFrame:
    """Out-of-fold scores of training crops under every perturbation, by the image model in `folder`.

    Returns:
        `isic_id`, `unchanged`, and a column for each perturbation; null where a crop is unreadable.
    """
    images = Path(run.config.data.images or "")
    with TemporaryDirectory(prefix="uglyduck-") as scratch:
        out = Path(scratch, "scores.parquet")
        _answer(PerturbRequest(model=folder, images=images, ids=tuple(ids), out=out, **_compute(run)))
        return pl.read_parquet(out)


def _train_in(folder: Path, run: Run, settings: ImagesConfig) -> None:
    changes = {} if settings.epochs is None else {"epochs": settings.epochs}
    _answer(
        TrainRequest(
            lesions=run.folder.lesions,
            images=Path(run.config.data.images or ""),
            ungrouped=run.config.data.ungrouped,
            folds=run.folder.folds,
            out=folder,
            kept=run.folder.root / KEPT,
            preset=settings.model,
            settings=changes,
            clahe=settings.clahe,
            weights=settings.weights,
            seed=settings.seed,
            on_bad=settings.on_bad,
            replicates=run.config.metrics.replicates,
            **_compute(run),
        )
    )


def _compute(run: Run) -> dict[str, Any]:
    settings = run.config.compute
    return {
        "device": run.config.images.device,
        "cores": run.threads,
        "engine": settings.engine,
        "address": settings.address,
    }


def _answer(request: Request) -> dict[str, Any]:
    with crop_progress() as show, listening(show):
        return call(request)


IMAGES = Stage(
    "images",
    __name__,
    train,
    inputs=("images", "weights"),
    artifacts=lambda run: [run.folder.lesions, run.folder.folds],
    settings=lambda run: {
        **run.config.images.model_dump(exclude={"weights"}),
        "ungrouped": run.config.data.ungrouped,
        "replicates": run.config.metrics.replicates,
    },
    applies=lambda run: run.config.data.images is not None,
)
