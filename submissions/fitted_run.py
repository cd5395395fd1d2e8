"""A finished run as one object that scores new lesions: feature constants, models, blend and calibration.

Everything that scores lesions after a run has finished uses this object, which needs no training lesion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

import features
from cohort.frames import ID
from cohort.whole_patients import whole_patients
from engine.console import log
from engine.errors import InputError
from engine.files import read_json
from engine.manifest import Manifest
from ensemble.blend import Blend
from ensemble.calibration import Calibration
from ensemble.fusion import read_blend
from ensemble.learners import Model
from ensemble.matrix import FeatureSpace, Matrix
from ensemble.model_store import ModelStore
from ensemble.new_lesions import score_new_lesions
from ensemble.panel import Panel
from features.patients.image_tables import has_image, read_image_table
from submissions.crops import Compute, score_by_all
from submissions.image_models import ImageModel, read_image_models
from submissions.image_score import shown_score
from submissions.lacking import Lacking, gain_of, gains, known_columns, needed_columns
from submissions.run_folder import RunFolder

Scores = npt.NDArray[np.float64]
_BLOCK = 50_000  # lesions scored at a time; more if one patient has more


@dataclass(frozen=True)
class FittedRun:
    """The fitted state of a run, each file checked against its SHA-256.

    Attributes:
        groups: Feature groups.
        state: Cohort constants of the features.
        specs: Group of each feature by its name.
        needs: Columns of the table that features come from.
        space: Features in model order.
        models: By the name of a learner (or its twin), a list of models for each fold, by repeat and seed.
        folds: How many folds there are.
        whole: Scores a lesion with what is known about its crop.
        table: Scores it from the table alone; the same as `whole` if the run has no images or no learners for that.
        images: Folder that holds a folder for each image model.
        image_models: The models that score crops; empty if the run has none.
        image_blend: How several image scores become the one shown; None if there is at most one.
        compute: The resources that may be used.
    """

    groups: Sequence[str]
    state: features.FeatureState
    specs: Mapping[str, str]
    needs: frozenset[str]
    space: FeatureSpace
    models: Mapping[str, Sequence[Sequence[Model]]]
    whole: Panel
    table: Panel
    images: Path
    image_models: Sequence[ImageModel]
    image_blend: Blend | None
    compute: Compute

    @classmethod
    def load(cls, root: Path, compute: Compute) -> FittedRun:
        """Open a finished run. No model is fitted, so another version of a library cannot refuse its parameters.

        Args:
            root: The run's folder.
            compute: The resources that may be used.

        Raises:
            InputError: The run is not finished, or a file of it is missing or damaged.
        """
        folder, manifest = RunFolder(Path(root)), Manifest(Path(root))
        manifest.check(folder.dictionary, folder.blend, folder.calibration, folder.models / "manifest.json")
        stored, store = read_json(folder.dictionary), ModelStore(folder.models)
        if store.space is None:
            raise InputError(
                "the run holds no models", where=str(folder.models), remedy="finish it with `uglyduck run`"
            )
        whole, table = _read_panels(folder, manifest)
        return cls(
            stored["groups"],
            features.FeatureState.from_dict(stored["state"]),
            {feature["name"]: feature["group"] for feature in stored["features"]},
            needed_columns(stored["features"]),
            store.space,
            _by_fold(store),
            whole,
            table,
            folder.images,
            _read_image_models(folder, manifest),
            _read_image_blend(folder, manifest),
            compute,
        )

    @property
    def image_features(self) -> set[str]:
        """Names of the features that come from images."""
        return {name for name, group in self.specs.items() if group == "image"}

    def score(
        self, frame: pl.DataFrame, images: pl.DataFrame | None = None, *, anyway: bool = False, warn: bool = True
    ) -> pl.DataFrame:
        """Score every lesion.

        Whether to use the crop or the table alone is decided for each lesion. Its score depends only on the rows of its
        patient, bit for bit: no other patient's lesion or crop, present or not, changes it. A score from the table
        alone does not depend on any crop.

        Args:
            frame: The lesions in canonical form, sorted by (patient_id, isic_id), with or without labels.
            images: `isic_id, score[, embedding…]` if the run uses images; a lesion that is absent, or whose score is
                null or NaN, has no crop.
            anyway: Also score a table that lacks most of what the models rely on, without risks.
            warn: Whether to log what the table lacks; `submissions.suitability.cautions` reports it too.

        Returns:
            `isic_id`, a column for each learner (NaN where it sees only crops and the lesion has none), `blend`, and
            `risk`, the calibrated probability of malignancy (null if `anyway` was needed), in the order of `frame`.

        Raises:
            InputError: The models rely on images alone and none are given, or the table lacks most of what they need.
        """
        self._require_images(images)
        lacking = self.lacking(frame, images)
        if lacking.is_most and not anyway:
            raise InputError(
                f"{lacking}",
                remedy="give a table like that of the run, or say --anyway for scores of little meaning, without risks",
            )
        if warn and lacking.columns:
            log.warning("%s", lacking)
        scored = pl.concat([self._score(block, images) for block in whole_patients(frame, _BLOCK)])
        return scored.with_columns(risk=pl.lit(None, pl.Float64)) if lacking.is_most else scored

    def lacking(self, frame: pl.DataFrame, images: pl.DataFrame | None = None) -> Lacking:
        """What a table lacks: columns that are absent or empty, and, if images are given, image scores."""
        there = known_columns(frame)
        absent_columns = self.needs.difference(there)
        if not absent_columns and images is None:
            return Lacking((), 0.0)
        known = frame.head(0).select(there)
        built = features.build(known, self.groups, state=self.state, images=images)
        wanted = set(self.specs) if images is not None else set(self.specs) - self.image_features
        absent = wanted - set(built.columns)
        panel = self.table if images is None else self.whole
        share = gain_of(absent, self._gains_of(panel), panel.blend.weights) if absent else 0.0
        unseen = {"image scores"} if absent & self.image_features else set()
        return Lacking(tuple(sorted(absent_columns | unseen)), share)

    def image_table(
        self, ids: pl.Series, *, crops: Path | None = None, scored: Path | None = None
    ) -> pl.DataFrame | None:
        """Image scores of lesions, from their crops or from a table.

        Args:
            ids: isic_id of the lesions.
            crops: Store of their crops, scored by the run's own image models.
            scored: Instead of crops, a Parquet file of isic_id and a score column for each image model.

        Returns:
            `isic_id`, scores and embeddings; None if neither is given, or no crop can be read.

        Raises:
            InputError: Both are given, the run has no image model, or one of them cannot be read.
        """
        if crops is not None and scored is not None:
            raise InputError("both crops and a table of their scores", where="--images", remedy="give one of them")
        if crops is None:
            return None if scored is None else read_image_table(scored)
        if not self.image_models:
            raise InputError(
                "this run has no image model", where=str(crops), remedy="leave --images out, or run with [data] images"
            )
        embeddings = any("_embedding_" in name for name in self.image_features)
        found = score_by_all(self.images, self.image_models, crops, ids, embeddings=embeddings, compute=self.compute)
        return None if found[self.image_models[0].column].null_count() == len(found) else found

    def image_score(self, images: pl.DataFrame | None) -> pl.DataFrame | None:
        """`isic_id, score`: the one image score shown, from what `image_table` returned; None if it has none."""
        shown = None if images is None else shown_score(images, self.image_blend)
        return shown if shown is not None and shown.width > 1 else None

    def features(self, frame: pl.DataFrame, images: pl.DataFrame | None = None) -> Iterator[pl.DataFrame]:
        """The feature tables behind `score`, one block of whole patients after another."""
        for block in whole_patients(frame, _BLOCK):
            yield features.build(block, self.groups, state=self.state, images=images)

    def models_of(self, panel: Panel) -> dict[str, list[Model]]:
        """Every model of a panel, by learner."""
        return {
            name: [model for fold in self.models[stored] for model in fold] for name, stored in panel.models.items()
        }

    def _gains_of(self, panel: Panel) -> dict[str, list[dict[str, float]]]:
        return {name: self._gains[stored] for name, stored in panel.models.items()}

    @cached_property
    def _gains(self) -> dict[str, list[dict[str, float]]]:
        """By stored learner, the gains of each of its models; computed once, since CatBoost takes its time."""
        return {name: [gains(model) for fold in folds for model in fold] for name, folds in self.models.items()}

    @property
    def sees_images_alone(self) -> bool:
        """Whether no lesion can be scored without its crop."""
        if not self.image_features or self.table is not self.whole:
            return False
        others = set(self.specs) - self.image_features
        return gain_of(others, self._gains_of(self.table), self.table.blend.weights) == 0

    def _require_images(self, images: pl.DataFrame | None) -> None:
        if not self.image_features or images is not None:
            return
        if self.sees_images_alone:
            raise InputError(
                "the run sees crops alone, and there are none",
                where="its features",
                remedy="give --images or --image-scores",
            )
        log.warning(
            "no crops: %s",
            "scored by the learners that see the table alone"
            if self.table is not self.whole
            else f"the {len(self.image_features)} features of the image model count as missing",
        )

    def _score(self, frame: pl.DataFrame, images: pl.DataFrame | None) -> pl.DataFrame:
        built = features.build(frame, self.groups, state=self.state, images=images)
        matrix, seen = self.space.encode(built), self.has_crop(frame, images)
        columns = {name: np.full(len(matrix), np.nan) for name in (*self.whole.models, "blend", "risk")}
        for panel, rows in ((self.whole, seen), (self.table, ~seen)):
            if rows.any():
                for name, values in self._scored_by(panel, matrix if rows.all() else matrix.rows(rows)).items():
                    columns[name][rows] = values
        return pl.DataFrame({ID: built[ID], **columns})

    def has_crop(self, frame: pl.DataFrame, images: pl.DataFrame | None) -> npt.NDArray[np.bool_]:
        """Which lesions of a table are scored by the whole panel; see `score`."""
        if self.table is self.whole:
            return np.ones(frame.height, dtype=np.bool_)
        return has_image(frame[ID], images)

    def _scored_by(self, panel: Panel, matrix: Matrix) -> dict[str, Scores]:
        by_fold = {
            name: [self._mean(models, matrix) for models in self.models[stored]]
            for name, stored in panel.models.items()
        }
        found = score_new_lesions(by_fold, panel.blend, panel.calibration)
        return {**found.learners, "blend": found.blend, "risk": found.risk}

    def _mean(self, models: Sequence[Model], matrix: Matrix) -> Scores:
        """The mean score of one fold's models, over seeds and repeats."""
        total = np.zeros(len(matrix))
        for model in models:  # one by one: the same bits for one lesion as for many
            total += model.predict(matrix, threads=self.compute.cores)
        return total / len(models)


def _by_fold(store: ModelStore) -> dict[str, list[list[Model]]]:
    found: dict[str, dict[int, list[Model]]] = {}
    for slot in store.slots():
        found.setdefault(slot.learner, {}).setdefault(slot.fold, []).append(store.load(slot))
    return {name: [folds[fold] for fold in sorted(folds)] for name, folds in found.items()}


def _read_image_models(folder: RunFolder, manifest: Manifest) -> list[ImageModel]:
    if _read(folder.image_models, manifest) is None:
        return []
    models = read_image_models(folder.image_models)
    kept = [
        folder.root / name for model in models for name in manifest.recorded if name.startswith(f"images/{model.name}/")
    ]
    # A bundle lacks tables and what was left out of it; a missing file is reported when crops are scored.
    manifest.check(*filter(Path.exists, kept))
    return models


def _read_image_blend(folder: RunFolder, manifest: Manifest) -> Blend | None:
    stored = _read(folder.image_blend, manifest)
    return None if stored is None else Blend.from_dict(stored)


def _read_panels(folder: RunFolder, manifest: Manifest) -> tuple[Panel, Panel]:
    """The panels `whole` and `table`."""
    blend = read_blend(read_json(folder.blend))
    models = {name: name for name in blend.weights}
    whole = Panel(models, blend, Calibration.from_dict(read_json(folder.calibration)))
    stored = _read(folder.table_alone, manifest)
    return whole, whole if stored is None else Panel.from_dict(stored)


def _read(path: Path, manifest: Manifest) -> Any:  # noqa: ANN401 - any JSON value
    """The content of a file that only some runs have; None in the others."""
    if manifest.sha256(path) is None:
        return None
    manifest.check(path)
    return read_json(path)
