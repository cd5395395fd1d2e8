"""Score new lesions with a finished run, whole patients at a time, so that memory does not grow with the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

import features
from cohort.reading import Cohort, read_cohort
from engine.console import log
from engine.errors import InputError
from engine.files import read_json
from ensemble.blend import Blend
from ensemble.calibration import Calibration
from ensemble.learners import Model
from ensemble.model_store import ModelStore
from ensemble.out_of_fold import load_models, score_new
from uglyduck.run.config import load_config
from uglyduck.run.folder import RunFolder
from uglyduck.run.run import Run

_BLOCK = 50_000  # lesions scored at a time, more where one patient has more


def open_run(root: Path) -> Run:
    """A finished run, opened for reading.

    Raises:
        InputError: The folder holds no run.
    """
    folder = RunFolder(Path(root))
    if not folder.config.is_file():
        raise InputError("this folder holds no run", where=str(root), remedy="make one with `uglyduck run CONFIG.toml`")
    return Run(load_config(folder.config), folder)


def read_lesions(run: Run, metadata: Path, *, groups: Path | None = None) -> Cohort:
    """Read lesions to score as the run's training table was read; columns may be absent, ids and patients may not.

    Raises:
        InputError: The table can not be read.
    """
    return read_cohort(metadata, incomplete=True, ungrouped=run.config.data.ungrouped, groups=groups)


class Predictor:
    """The fitted state of a run: feature state, models and blend, each checked against its SHA-256.

    Args:
        run: A finished run.

    Raises:
        InputError: The run is not finished, or a file of it is missing or damaged.
    """

    def __init__(self, run: Run) -> None:
        folder = run.folder
        run.manifest.check(folder.dictionary, folder.blend, folder.calibration, folder.models / "manifest.json")
        stored = read_json(folder.dictionary)
        self._groups: list[str] = stored["groups"]
        self._state = features.FeatureState.from_dict(stored["state"])
        self._wanted = {feature["name"] for feature in stored["features"]}
        self._of_images = {feature["name"] for feature in stored["features"] if feature["group"] == "image"}
        store = ModelStore(folder.models)
        if store.space is None:
            raise InputError(
                "the run holds no models", where=str(folder.models), remedy="finish it with `uglyduck run`"
            )
        self._space = store.space
        # Not the plan's learners, which need the folds: a run that only predicts holds no training data.
        learners = {name: member.learner for name, member in run.trained.items()}
        self._models: dict[str, list[Model]] = load_models(learners, store)
        blend, calibration = read_json(folder.blend), read_json(folder.calibration)
        whole = {name: name for name in run.learners}
        self._whole = self._table = _Fusion(whole, Blend.from_dict(blend), Calibration.from_dict(calibration))
        if run.table_models:
            run.manifest.check(folder.table_alone)
            table = read_json(folder.table_alone)
            parts = Blend.from_dict(table["blend"]), Calibration.from_dict(table["calibration"])
            self._table = _Fusion(run.table_models, *parts)
        self._threads = run.threads

    def scores(self, cohort: Cohort, images: pl.DataFrame | None = None) -> pl.DataFrame:
        """Score every lesion; a patient's scores depend on that patient's rows alone, bit for bit.

        Args:
            cohort: The lesions, with or without labels.
            images: `isic_id, score[, embedding]` where the run uses images.

        Returns:
            `isic_id`, a column for each learner, `blend`, and `risk`, the calibrated probability of malignancy, in the
            order of `cohort.frame`.

        Raises:
            InputError: The run has no feature but those of images, and none are given.
        """
        if self._of_images and images is None:
            if self._wanted == self._of_images:
                raise InputError(
                    "the run sees crops alone, and none are given",
                    where="its features",
                    remedy="give --images or --image-scores",
                )
            log.warning(
                "no images given: %s",
                "scored by the learners that see the table alone"
                if self._table is not self._whole
                else f"the {len(self._of_images)} features of the image model count as missing",
            )
        parts = [self._score(block, images) for block in _whole_patients(cohort.frame)]
        return pl.concat(parts)

    def features(self, cohort: Cohort, images: pl.DataFrame | None = None) -> Iterator[pl.DataFrame]:
        """The feature tables behind `scores`, one block of whole patients after another."""
        for block in _whole_patients(cohort.frame):
            yield features.build(block, self._groups, state=self._state, images=images)

    def panel(self, *, images: bool) -> tuple[Blend, dict[str, list[Model]]]:
        """What scores lesions with or without image scores: the blend, and by learner the models."""
        fusion = self._whole if images else self._table
        return fusion.blend, {name: self._models[model] for name, model in fusion.models.items()}

    def _score(self, frame: pl.DataFrame, images: pl.DataFrame | None) -> pl.DataFrame:
        built = features.build(frame, self._groups, state=self._state, images=images)
        expected = self._wanted if images is not None else self._wanted - self._of_images
        absent = sorted(expected - set(built.columns))
        if absent:
            log.warning("absent in this table, scored as missing: %s", ", ".join(absent))
        fusion = self._table if images is None else self._whole
        models = {name: self._models[model] for name, model in fusion.models.items()}
        scores = score_new(models, self._space.encode(built), threads=self._threads)
        blended = fusion.blend(scores)
        return pl.DataFrame(
            {"isic_id": built["isic_id"], **scores, "blend": blended, "risk": fusion.calibration(blended)}
        )


@dataclass(frozen=True)
class _Fusion:
    """How the scores of some models, named by learner, become one, and that a risk."""

    models: Mapping[str, str]
    blend: Blend
    calibration: Calibration


def _whole_patients(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Cut a table sorted by patient into blocks that hold whole patients."""
    starts = (frame["patient_id"].rle_id().diff().fill_null(1) != 0).arg_true().to_list()
    begin = 0
    for start in [*starts[1:], frame.height]:
        if start - begin >= _BLOCK or start == frame.height:
            yield frame[begin:start]
            begin = start
