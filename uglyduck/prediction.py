"""Score new lesions with a finished run, whole patients at a time, so that memory does not grow with the table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

import features
from cohort.errors import InputError
from cohort.files import read_json
from cohort.reading import Cohort, read_cohort
from ensemble.blend import Blend
from ensemble.learners import Model
from ensemble.model_store import ModelStore
from ensemble.out_of_fold import load_models, score_new
from uglyduck.config import load_config
from uglyduck.console import log
from uglyduck.run import Run
from uglyduck.run_folder import RunFolder

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
        run.manifest.check(folder.dictionary, folder.blend, folder.models / "manifest.json")
        stored = read_json(folder.dictionary)
        self._groups: list[str] = stored["groups"]
        self._state = features.FeatureState.from_dict(stored["state"])
        self._wanted = {feature["name"] for feature in stored["features"]}
        store = ModelStore(folder.models)
        if store.space is None:
            raise InputError(
                "the run holds no models", where=str(folder.models), remedy="finish it with `uglyduck run`"
            )
        self._space = store.space
        self._models: dict[str, list[Model]] = load_models(run.learners, store)
        self._blend = Blend.from_dict(read_json(folder.blend))
        self._threads = run.threads

    def scores(self, cohort: Cohort, images: pl.DataFrame | None = None) -> pl.DataFrame:
        """Score every lesion; a patient's scores depend on that patient's rows alone, bit for bit.

        Args:
            cohort: The lesions, with or without labels.
            images: `isic_id, score[, embedding]` where the run uses images.

        Returns:
            `isic_id`, a column for each learner, and `blend`, in the order of `cohort.frame`.
        """
        parts = [self._score(block, images) for block in _whole_patients(cohort.frame)]
        return pl.concat(parts)

    def _score(self, frame: pl.DataFrame, images: pl.DataFrame | None) -> pl.DataFrame:
        built = features.build(frame, self._groups, state=self._state, images=images)
        absent = sorted(self._wanted - set(built.columns))
        if absent:
            log.warning("absent in this table, scored as missing: %s", ", ".join(absent))
        scores = score_new(self._models, self._space.encode(built), threads=self._threads)
        return pl.DataFrame({"isic_id": built["isic_id"], **scores, "blend": self._blend(scores)})


def _whole_patients(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Cut a table sorted by patient into blocks that hold whole patients."""
    starts = (frame["patient_id"].rle_id().diff().fill_null(1) != 0).arg_true().to_list()
    begin = 0
    for start in [*starts[1:], frame.height]:
        if start - begin >= _BLOCK or start == frame.height:
            yield frame[begin:start]
            begin = start
