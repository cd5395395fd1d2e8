"""The image stage of a run: models for each fold, trained on the crops, each in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from engine.console import log
from engine.errors import within
from engine.files import read_json
from engine.scratch import scratch
from image_embeddings.process import call
from image_embeddings.requests import PerturbRequest, TrainRequest
from image_embeddings.requests.models import ExtraTable
from image_embeddings.requests.recipe import check_first_weights, recipe_of
from image_embeddings.spec import Spec
from submissions.image_models import ImageModel, write_image_models
from uglyduck.run.config import input_paths
from uglyduck.run.image_config import DESCRIPTORS, ImageModelConfig
from uglyduck.run.run import Run
from uglyduck.stages.image_plan import announced
from uglyduck.stages.image_tables import write_side_by_side
from uglyduck.stages.stage import Stage
from uglyduck.stages.taken_models import take_model


def train(run: Run) -> list[Path]:
    """Train the image models of each fold, and score each training lesion by those that never saw its patient.

    A killed training resumes, and an existing model that the run wants is kept. One of other crops, labels, folds,
    settings or code is moved to `images.kept`, and brought back when it is wanted again. Only `uglyduck clean` deletes
    from there.

    Returns:
        The files of the model folders that later stages need, or that are needed to apply the models.

    Raises:
        InputError: The crops, the settings or the weights are wrong, or torch is missing.
    """
    if len(run.image_models) > 1:
        _check_networks(run)
    _announce(run)
    written: list[Path] = []
    for model in run.image_models:
        settings = run.config.image_models[model.name]
        if settings.model is None:
            train_in(run.image_folder(model), run, model.name, settings)
        else:
            take_model(run, model, settings.model)
        written.extend(_files(run, model))
    write_image_models(run.image_models, run.folder.image_models)
    return [run.folder.image_models, *written, *write_side_by_side(run)]


def _announce(run: Run) -> None:
    models = run.config.image_models
    settings = [_preset_settings(model) for model in models.values()]
    said = announced(models, settings, run.target, len(run.folds.names), run.compute.cores)
    log.info("%-8s  %s", "images", said)


def _files(run: Run, model: ImageModel) -> list[Path]:
    folder = run.image_folder(model)
    figures = [path for path in (folder / "metrics.json",) if path.is_file()]
    return [
        folder / "spec.json",
        *sorted(folder.glob("*.parquet")),
        *figures,
        *(folder / name for name in read_json(folder / "spec.json")["files"]),
    ]


def perturbed_scores(run: Run, folder: Path, ids: pl.Series, *, model: str) -> pl.DataFrame:
    """Out-of-fold scores of training crops under every perturbation, by the image model in `folder`.

    Returns:
        `isic_id`, `unchanged`, and a column for each perturbation; null where a crop is unreadable.
    """
    images = Path(run.config.data.images or "")
    with scratch() as place:
        out = place / "scores.parquet"
        call(PerturbRequest(model=folder, images=images, ids=tuple(ids), out=out, **run.compute.of(model)))
        return pl.read_parquet(out)


def train_in(folder: Path, run: Run, name: str, settings: ImageModelConfig) -> None:
    """Train one image model into a folder, unless it is already there.

    Raises:
        InputError: As in `train`.
    """
    with within(f"[images.{name}]"):
        call(_request(folder, run, name, settings))


def check_recipes(run: Run) -> None:
    """Refuse image models with impossible settings, as far as this can be seen without torch.

    Raises:
        InputError: No such preset or setting, settings that change nothing, or a folder without a model.
    """
    for name, settings in run.config.image_models.items():
        with within(f"[images.{name}]"):
            if settings.model is not None:
                Spec.read(settings.model)
            else:
                request = _request(run.folder.images / name, run, name, settings)
                check_first_weights(request, recipe_of(request))


def _check_networks(run: Run) -> None:
    """Refuse backbones, weights and devices before the first of several models is trained."""
    for name, settings in run.config.image_models.items():
        if settings.model is None and (settings.preset != DESCRIPTORS or settings.backbone):
            with within(f"[images.{name}]"):
                request = _request(run.folder.images / name, run, name, settings)
                call(request.model_copy(update={"only_check": True}))


def _request(folder: Path, run: Run, name: str, settings: ImageModelConfig) -> TrainRequest:
    return TrainRequest(
        lesions=run.folder.lesions,
        images=Path(run.config.data.images or ""),
        ungrouped=run.config.data.ungrouped,
        folds=run.folder.folds,
        out=folder,
        kept=run.folder.kept_images,
        preset=None if settings.backbone and settings.preset == DESCRIPTORS else settings.preset,
        backbone=settings.backbone,
        settings=_preset_settings(settings),
        clahe=settings.clahe,
        weights=settings.weights,
        download=settings.download,
        policy=settings.policy,
        repeats=settings.repeats,
        reduce_to=settings.reduce_to,
        seed=settings.seed,
        on_bad=settings.on_bad,
        extra={name: ExtraTable(**each.model_dump()) for name, each in settings.extra.items()},
        replicates=run.config.metrics.replicates,
        **run.compute.of(name),
    )


def _preset_settings(settings: ImageModelConfig) -> dict[str, str | int | float | bool]:
    """Settings of a preset, including those with keys of their own."""
    labels = {"target": "binary", "diagnosis": "diagnosis", None: None}[settings.labels]
    own: dict[str, str | int | None] = {"labels": labels, "flips": settings.views}
    return {**settings.set, **{name: value for name, value in own.items() if value is not None}}


def _inputs(run: Run) -> tuple[str, ...]:
    return tuple(name for name in input_paths(run.config) if name == "images" or name.startswith("images."))


def _settings(run: Run) -> dict[str, Any]:
    models = {name: model.model_dump(mode="json") for name, model in run.config.image_models.items()}
    # Paths may change as long as their contents do not: those are among the inputs.
    for model in models.values():
        for place in ("model", "weights"):
            model.pop(place)
        # A list, since their order is that of the rows.
        model["extra"] = [[name, extra["columns"]] for name, extra in model["extra"].items()]
    return {"models": models, "ungrouped": run.config.data.ungrouped, "replicates": run.config.metrics.replicates}


IMAGES = Stage(
    "images",
    __name__,
    train,
    inputs=_inputs,
    artifacts=lambda run: [run.folder.lesions, run.folder.folds],
    settings=_settings,
    applies=lambda run: bool(run.config.image_models),
)
