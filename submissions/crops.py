"""What a run's image model says of new crops, asked in a process of its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import polars as pl

from engine.console import log
from image_embeddings.process import call
from image_embeddings.requests import ApplyRequest


@dataclass(frozen=True)
class Compute:
    """What may be used.

    Attributes:
        cores: CPU cores.
        device: Where networks run: auto, cpu, cuda …
        engine: This machine, or a Ray cluster.
        address: Of the cluster.
    """

    cores: int
    device: str = "auto"
    engine: Literal["local", "ray"] = "local"
    address: str | None = None


def score_crops(model: Path, crops: Path, ids: pl.Series, *, embeddings: bool, compute: Compute) -> pl.DataFrame:
    """Score new crops by the mean log-odds of a model's folds.

    Args:
        model: Folder of the image model.
        crops: Store of the crops.
        ids: isic_id of the lesions to score.
        embeddings: Whether the embeddings of each network are wanted.
        compute: What may be used.

    Returns:
        isic_id, score and, if wanted, a column of embeddings for each network (`embedding_fold0` and so on), in the
        order of `ids`; null where the crop is absent or cannot be read, which is logged.

    Raises:
        InputError: `crops` is no store, or the model was changed.
    """
    with TemporaryDirectory(prefix="uglyduck-") as scratch:
        out = Path(scratch, "scores.parquet")
        call(
            ApplyRequest(
                models=(model,), images=crops, ids=tuple(ids), out=out, embeddings=embeddings, **asdict(compute)
            )
        )
        scores = pl.read_parquet(out)
    missing = scores["score"].null_count()
    log.info("images    %s crops scored, %s missing", f"{len(ids) - missing:,}", f"{missing:,}")
    return scores
