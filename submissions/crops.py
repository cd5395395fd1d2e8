"""Scores of new crops by a run's image models, computed in a separate process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import polars as pl

from engine.console import log
from engine.scratch import scratch
from image_embeddings.process import call
from image_embeddings.requests import ApplyRequest
from submissions.image_models import ImageModel, side_by_side


@dataclass(frozen=True)
class Compute:
    """The resources that may be used.

    Attributes:
        cores: CPU cores.
        devices: Where a network runs, by the name of the image model: cpu, cuda …; auto if not listed.
        engine: This machine, or a Ray cluster.
        address: Address of the cluster.
        remember: Whether scores of new crops are kept in the image models' folders, to be reused.
    """

    cores: int
    devices: Mapping[str, str] = field(default_factory=dict)
    engine: Literal["local", "ray"] = "local"
    address: str | None = None
    remember: bool = False

    def of(self, model: str) -> dict[str, Any]:
        """What a request to an image model says about its resources."""
        device = self.devices.get(model, "auto")
        return {"cores": self.cores, "device": device, "engine": self.engine, "address": self.address}


def score_crops(
    folder: Path, model: ImageModel, crops: Path, ids: pl.Series, *, embeddings: bool, compute: Compute
) -> pl.DataFrame:
    """Score new crops by one image model.

    Args:
        folder: Folder of the image model.
        model: The image model.
        crops: Store of the crops.
        ids: isic_id of the lesions to score.
        embeddings: Whether the embeddings of each network are wanted.
        compute: The resources that may be used.

    Returns:
        isic_id, score and, if wanted, a column of embeddings for each network (`embedding_fold0` and so on), in the
        order of `ids`; null where the crop is absent or cannot be read, which is logged.

    Raises:
        InputError: `crops` is not a store, or the model was changed.
    """
    with scratch() as place:
        out = place / "scores.parquet"
        request = {"models": (folder,), "images": crops, "ids": tuple(ids), "out": out, "embeddings": embeddings}
        how = {"flips": model.views, "remember": compute.remember} | compute.of(model.name)
        call(ApplyRequest.model_validate(request | how))
        return pl.read_parquet(out)


def score_by_all(
    root: Path, models: Sequence[ImageModel], crops: Path, ids: pl.Series, *, embeddings: bool, compute: Compute
) -> pl.DataFrame:
    """Score new crops by every image model of a run, one after the other; see `side_by_side`.

    Args:
        root: Folder that holds a folder for each model.
        models: The models.
        crops: Store of the crops.
        ids: isic_id of the lesions to score.
        embeddings: Whether embeddings are wanted.
        compute: The resources that may be used.

    Raises:
        InputError: `crops` is not a store, or a model was changed.
    """
    tables = [
        score_crops(root / model.name, model, crops, ids, embeddings=embeddings, compute=compute) for model in models
    ]
    scores = side_by_side(tables, models)
    missing = scores[models[0].column].null_count()
    by = "" if len(models) == 1 else f" by {', '.join(model.name for model in models)}"
    log.info("images    %s crops scored%s, %s missing", f"{len(ids) - missing:,}", by, f"{missing:,}")
    return scores
