"""Train an image model fold by fold, score every lesion out of fold, and write a folder that can be applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from cohort.frames import ID
from cv_folds.folds import Folds
from cv_folds.hospital_share import HOSPITAL, hospital_share
from engine.files import sha256_of, write_json, write_parquet
from image_embeddings.backend import ALL, CHECKPOINT, Backend, Scores, fold_part
from image_embeddings.joined_store import IS_EXTRA, own_ids
from image_embeddings.keeping import claim
from image_embeddings.labels import Labels
from image_embeddings.measuring import class_figures, measure
from image_embeddings.overlap import EXTRA
from image_embeddings.spec import Spec, checksums

FOLDS, OOF, CLASSES = "folds.parquet", "oof.parquet", "classes.parquet"
EMBEDDINGS, HISTORY, METRICS = "embeddings.parquet", "history.json", "metrics.json"
TABLES = (FOLDS, EXTRA, OOF, CLASSES, EMBEDDINGS)


@dataclass(frozen=True)
class Material:
    """What a model is trained on, row by row in the same order.

    Attributes:
        frame: isic_id, patient_id, target, and the hospital if known.
        labels: Labels of the rows; those of extra tables follow.
        folds: Which rows are held out together.
        extra: The same columns as in `frame`, for lesions that every part learns from and none scores.
    """

    frame: pl.DataFrame
    labels: Labels
    folds: Folds
    extra: pl.DataFrame | None = None

    @property
    def ids(self) -> list[str]:
        """isic_id of every row."""
        return self.frame[ID].to_list()

    @property
    def fold(self) -> NDArray[np.int8]:
        """(lesions,) fold of every row."""
        return self.folds.frame["fold"].to_numpy()

    @property
    def taught(self) -> pl.DataFrame:
        """The frame, followed by the extra lesions, if there are any; `is_extra` then tells them apart."""
        if self.extra is None:
            return self.frame
        marks = ((self.frame, False), (self.extra, True))
        both = [table.with_columns(pl.lit(mark).alias(IS_EXTRA)) for table, mark in marks]
        return pl.concat(both, how="diagonal_relaxed")

    @property
    def parts(self) -> dict[str, NDArray[np.int64]]:
        """Training rows of each fold's part."""
        return {fold_part(int(place)): self._without(int(place)) for place in np.unique(self.fold)}

    @property
    def whole(self) -> NDArray[np.int64]:
        """Training rows of the part that is fitted on every lesion."""
        return self._without(None)

    def _without(self, fold: int | None) -> NDArray[np.int64]:
        """Rows outside a fold, and all extra ones."""
        extra = 0 if self.extra is None else len(self.extra)
        outside = np.ones(len(self.frame), dtype=bool) if fold is None else self.fold != fold
        return np.flatnonzero(np.concatenate([outside, np.ones(extra, dtype=bool)]))


@dataclass(frozen=True)
class TrainingOutcome:
    """The outcome of a training.

    Attributes:
        oof: isic_id, target, score: every lesion by a model that never saw it; null where its crop is unreadable.
        history: Entries per epoch, by part.
        metrics: See `measure`; for more than two classes also `classes`, and if hospitals are known `hospital`.
        faults: Why a crop could not be read, by id.
    """

    oof: pl.DataFrame
    history: dict[str, list[dict[str, float]]]
    metrics: dict[str, Any]
    faults: dict[str, str]


def train_model(
    folder: Path,
    spec: Spec,
    backend: Backend,
    material: Material,
    *,
    kept: Path | None = None,
    replicates: int = 10_000,
) -> TrainingOutcome:
    """Fit every missing part, score out of fold, measure, and write the folder.

    Args:
        folder: The model's folder; a killed training in it resumes, and a finished model is only measured.
        spec: Spec of the model.
        backend: Fits and scores.
        material: Lesions, labels and folds.
        kept: Where another model in the folder is moved to; see `claim`.
        replicates: Replicates of the patient bootstrap.

    Raises:
        InputError: The folder holds another model, and there is no `kept`.
        CropError: A crop cannot be read, and that is to stop the training.
    """
    claim(folder, spec, kept)
    material.folds.write(folder / FOLDS)
    if material.extra is not None:
        write_parquet(_own_names(material.extra), folder / EXTRA)
    parts = material.parts | ({ALL: material.whole} if spec.policy == "refit" else {})
    files = [path for part in parts for path in backend.files(part)]
    done = _is_finished(folder, files)
    missing = {part: rows for part, rows in parts.items() if not all(path.exists() for path in backend.files(part))}
    faults = backend.fit(missing, material.taught, material.labels) if missing else {}
    for checkpoint in folder.glob(f"*{CHECKPOINT}.*"):
        checkpoint.unlink()
    history = backend.history(list(parts))
    write_json(history, folder / HISTORY)
    faults |= {} if done else _score(folder, backend, material)
    outcome = _measure(folder, material, history, faults, replicates)
    tables = [path for name in TABLES if (path := folder / name).is_file()]
    spec.model_copy(update={"files": checksums(folder, files), "tables": checksums(folder, tables)}).write(folder)
    return outcome


def _own_names(extra: pl.DataFrame) -> pl.DataFrame:
    """Names of extra images, patients and lesions as in their own tables: they are never new to the model."""
    renamed = pl.col(ID, "patient_id").map_batches(own_ids, return_dtype=pl.String)
    return extra.select(renamed, *(["lesion_id"] if "lesion_id" in extra.columns else []))


def _is_finished(folder: Path, files: Sequence[Path]) -> bool:
    """Whether training has finished; a file that has changed since is removed, to be made again."""
    spec = Spec.read(folder)
    if not spec.files:
        return False
    changed = [path for path in files if _is_changed(path, spec.files)]
    for path in changed:
        path.unlink(missing_ok=True)
    tables = [folder / name for name in (OOF, *spec.tables)]
    return not changed and not any(_is_changed(path, {OOF: None, **spec.tables}) for path in tables)


def _is_changed(path: Path, recorded: Mapping[str, str | None]) -> bool:
    """Whether a file is missing or not as recorded; a recorded None matches any file."""
    if not path.is_file() or path.name not in recorded:
        return True
    return recorded[path.name] not in (None, sha256_of(path))


def _score(folder: Path, backend: Backend, material: Material) -> dict[str, str]:
    """Write each lesion's out-of-fold results; returns why crops could not be read, by id."""
    ids, names = material.ids, material.labels.classes.names
    scores = out_of_fold(backend, ids, material.fold)
    score = pl.Series("score", expit(scores.log_odds)).fill_nan(None)
    if scores.embeddings:
        table = embedding_table(ids, scores.embeddings)
        write_parquet(table.select(ID, score, pl.exclude(ID)), folder / EMBEDDINGS)
    if scores.probabilities is not None and len(names) > 2:
        table = pl.DataFrame(scores.probabilities, schema=list(names))
        write_parquet(pl.concat([material.frame.select(ID), table], how="horizontal"), folder / CLASSES)
    # Last, since its presence says that the others exist.
    write_parquet(material.frame.select(ID).with_columns(score), folder / OOF)
    return scores.faults


def _measure(
    folder: Path,
    material: Material,
    history: dict[str, list[dict[str, float]]],
    faults: dict[str, str],
    replicates: int,
) -> TrainingOutcome:
    oof = pl.read_parquet(folder / OOF)
    score = oof["score"].fill_null(np.nan).to_numpy()
    metrics = measure(material.folds.frame, {"image": score}, replicates=replicates)
    if (folder / CLASSES).exists():
        probabilities = pl.read_parquet(folder / CLASSES).drop(ID).to_numpy()
        index = material.labels.index[: len(oof)]
        names, patient = material.labels.classes.names, material.folds.frame["patient_id"]
        metrics["classes"] = class_figures(index, probabilities, names, patient, replicates=replicates)
    if HOSPITAL in material.frame.columns:
        hospital = material.frame[HOSPITAL]
        metrics["hospital"] = hospital_share(material.folds.frame, score, hospital, replicates=replicates)
    write_json(metrics, folder / METRICS)
    return TrainingOutcome(oof.with_columns(material.frame["target"]), history, metrics, faults)


def embedding_table(ids: Sequence[str], embeddings: dict[str, NDArray[np.float16]]) -> pl.DataFrame:
    """isic_id, and each column of embeddings as arrays of float16 of fixed size."""
    columns = [pl.Series(name, np.ascontiguousarray(values)) for name, values in embeddings.items()]
    return pl.DataFrame([pl.Series(ID, ids, dtype=pl.String), *columns])


def embedding_column(network: str) -> str:
    """Column of a network's embeddings: embedding_fold0, embedding_fold0_seed1; "embedding" for one fit on all."""
    return f"embedding_{network}".replace(f"_{ALL}", "").replace("-", "_")


def out_of_fold(backend: Backend, ids: Sequence[str], fold: NDArray[np.int8]) -> Scores:
    """Each lesion scored by the part it was held out from.

    Its embeddings are those of that part's networks: `embedding`, and with repeats `embedding_seed1` and so on.
    """
    backend.prepare(ids)
    log_odds = np.full(len(ids), np.nan)
    probabilities: NDArray[np.float64] | None = None
    embeddings: dict[str, NDArray[np.float16]] = {}
    faults: dict[str, str] = {}
    for place in np.unique(fold):
        part, rows = fold_part(int(place)), np.flatnonzero(fold == place).tolist()
        begin = 0
        for scores in backend.score([part], [ids[row] for row in rows]):
            own = rows[begin : begin + len(scores.log_odds)]
            begin += len(own)
            log_odds[own] = scores.log_odds
            faults |= scores.faults
            if scores.probabilities is not None:
                if probabilities is None:
                    probabilities = np.full((len(ids), scores.probabilities.shape[1]), np.nan)
                probabilities[own] = scores.probabilities
            for network, values in scores.embeddings.items():
                name = embedding_column(network).replace(f"_{part}", "")
                whole = embeddings.setdefault(name, np.full((len(ids), values.shape[1]), np.nan, np.float16))
                whole[own] = values
    return Scores(log_odds, probabilities, embeddings, faults)
