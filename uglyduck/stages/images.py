"""The image stage of a run: a model of each fold trained on the crops, and applied to new ones, in another process."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from engine.files import read_json
from image_embeddings.process import call
from image_embeddings.requests import PerturbRequest, Request, TrainRequest
from uglyduck.run.config import ImagesConfig
from uglyduck.run.run import Run
from uglyduck.stages.stage import Stage
from uglyduck.terminal.images import showing_progress

KEPT = "images.kept"
"""Folder of a run for image models that are not wanted now; `uglyduck clean` deletes them."""


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
    files = [folder / name for name in read_json(run.folder.image_model)["files"]]
    return [run.folder.image_model, *training_tables(run), folder / "metrics.json", *files]


def training_tables(run: Run) -> list[Path]:
    """What the image model says of the training lesions, each by the model that never saw the patient.

    Returns:
        The Parquet file of isic_id and score, and, where the model has embeddings, that of isic_id, score and embedding
        (with repeats also embedding_seed1 and so on).
    """
    embeddings = run.folder.image_embeddings
    return [run.folder.image_scores, *([embeddings] if embeddings.is_file() else [])]


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
        _answer(PerturbRequest(model=folder, images=images, ids=tuple(ids), out=out, **asdict(run.compute)))
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
            **asdict(run.compute),
        )
    )


def _answer(request: Request) -> dict[str, Any]:
    with showing_progress():
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
