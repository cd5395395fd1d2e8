"""Train an image model fold by fold, score every lesion out of fold, and leave a folder that can be applied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from cohort.frames import ID
from cv_folds.folds import Folds
from engine.files import read_json, write_json, write_parquet
from image_embeddings.engine import ALL, Engine, Scores, fold_part
from image_embeddings.labels import Labels
from image_embeddings.measuring import class_figures, measure
from image_embeddings.spec import FILE, Spec, checksums

FOLDS, OOF, CLASSES = "folds.parquet", "oof.parquet", "classes.parquet"
EMBEDDINGS, HISTORY, METRICS = "embeddings.parquet", "history.json", "metrics.json"


@dataclass(frozen=True)
class Material:
    """What a model is trained on, row by row in the same order.

    Attributes:
        frame: isic_id, patient_id, target.
        labels: What the rows teach.
        folds: Which rows are held out together.
    """

    frame: pl.DataFrame
    labels: Labels
    folds: Folds

    @property
    def ids(self) -> list[str]:
        """isic_id of every row."""
        return self.frame[ID].to_list()

    @property
    def fold(self) -> NDArray[np.int8]:
        """(lesions,) fold of every row."""
        return self.folds.frame["fold"].to_numpy()

    @property
    def parts(self) -> dict[str, NDArray[np.int64]]:
        """Training rows of each fold's part."""
        return {fold_part(int(place)): np.flatnonzero(self.fold != place) for place in np.unique(self.fold)}


@dataclass(frozen=True)
class Outcome:
    """What a training came to.

    Attributes:
        oof: isic_id, target, score: every lesion by a model that never saw it; null where its crop is unreadable.
        history: Entries per epoch, by part.
        metrics: See `measure`; for more than two classes also `classes`.
        faults: Why a crop could not be read, by id.
    """

    oof: pl.DataFrame
    history: dict[str, list[dict[str, float]]]
    metrics: dict[str, Any]
    faults: dict[str, str]


def train_model(folder: Path, spec: Spec, engine: Engine, material: Material, *, replicates: int = 10_000) -> Outcome:
    """Fit every part that is not there yet, score out of fold, measure, and write the folder.

    Args:
        folder: The model's folder; a training that was killed in it is continued.
        spec: What the model is.
        engine: Fits and scores.
        material: Lesions, labels and folds.
        replicates: Of the patient bootstrap.

    Raises:
        InputError: The folder holds another model.
        CropError: A crop can not be read and that is to stop the training.
    """
    if (folder / FILE).exists():
        spec.require_same(Spec.read(folder), folder)
    else:
        spec.write(folder)
    material.folds.write(folder / FOLDS)
    frame, labels = material.frame, material.labels
    parts = material.parts | ({ALL: np.arange(len(frame))} if spec.policy == "refit" else {})
    history = _fit_parts(folder, engine, material, parts)
    scores = out_of_fold(engine, material.ids, material.fold)
    oof = pl.DataFrame({ID: frame[ID], "score": pl.Series(expit(scores.log_odds)).fill_nan(None)})
    write_parquet(oof, folder / OOF)
    metrics = measure(material.folds.frame, {"image": scores.log_odds}, replicates=replicates)
    if scores.probabilities is not None and len(labels.classes.names) > 2:
        metrics["classes"] = class_figures(labels.index, scores.probabilities, labels.classes.names)
        table = pl.DataFrame(scores.probabilities, schema=list(labels.classes.names))
        write_parquet(pl.concat([oof.select(ID), table], how="horizontal"), folder / CLASSES)
    if scores.embedding is not None:
        write_parquet(embedding_table(material.ids, scores.embedding), folder / EMBEDDINGS)
    write_json(metrics, folder / METRICS)
    files = checksums(folder, [path for part in parts for path in engine.files(part)])
    spec.model_copy(update={"files": files}).write(folder)
    return Outcome(oof.with_columns(frame["target"]), history, metrics, scores.faults)


def embedding_table(ids: list[str], embedding: NDArray[np.float16]) -> pl.DataFrame:
    """isic_id and embedding as an array of float16 of fixed size."""
    return pl.DataFrame({ID: pl.Series(ids, dtype=pl.String), "embedding": pl.Series(embedding)})


def _fit_parts(
    folder: Path, engine: Engine, material: Material, parts: dict[str, NDArray[np.int64]]
) -> dict[str, list[dict[str, float]]]:
    """Fit what is not there yet; the history of parts fitted earlier is read back."""
    history = read_json(folder / HISTORY) if (folder / HISTORY).exists() else {}
    for part, rows in parts.items():
        if not all(path.exists() for path in engine.files(part)):
            history[part] = engine.fit(part, material.frame, material.labels, rows)
            write_json(history, folder / HISTORY)
    return dict(history)


def out_of_fold(engine: Engine, ids: list[str], fold: NDArray[np.int8]) -> Scores:
    """Each lesion scored by the part it was held out from."""
    log_odds = np.full(len(ids), np.nan)
    probabilities: NDArray[np.float64] | None = None
    embedding: NDArray[np.float16] | None = None
    faults: dict[str, str] = {}
    for place in np.unique(fold):
        rows = np.flatnonzero(fold == place)
        scores = engine.score([fold_part(int(place))], [ids[row] for row in rows])
        log_odds[rows] = scores.log_odds
        faults |= scores.faults
        if scores.probabilities is not None:
            if probabilities is None:
                probabilities = np.full((len(ids), scores.probabilities.shape[1]), np.nan)
            probabilities[rows] = scores.probabilities
        if scores.embedding is not None:
            if embedding is None:
                embedding = np.full((len(ids), scores.embedding.shape[1]), np.nan, np.float16)
            embedding[rows] = scores.embedding
    return Scores(log_odds, probabilities, embedding, faults)
