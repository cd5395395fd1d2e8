"""One run: its configuration, its folder, and what its stages share in memory, each read once when first needed."""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import polars.selectors as cs

from cohort.frames import ID
from cohort.lesions import Lesions, read_rows
from cv_folds.bootstrap import POOLED
from cv_folds.folds import Folds
from cv_folds.scoring import MEAN
from engine.errors import InputError
from engine.executors import Executor, open_executor
from engine.files import fingerprint, read_json, sha256_of, tree
from engine.manifest import Manifest
from engine.results import ResultStore
from ensemble.jobs import JobRunner, Table
from ensemble.learners import Learner
from ensemble.matrix import FeatureSpace, Matrix
from ensemble.out_of_fold import Plan
from features import IMAGE_GROUPS
from features.patients.image_tables import has_image, read_image_table
from submissions.crops import Compute
from submissions.fitted_run import FittedRun
from submissions.image_models import SCORE, ImageModel
from submissions.report.origin import origin_of
from submissions.run_folder import RunFolder
from uglyduck.run.config import Config, FusionName, input_key, input_paths, load_config
from uglyduck.run.members import Member, configured_members, models_of_table_alone, seeing_members, with_twins
from uglyduck.run.place import holding_a_run

_CELL = ("estimate", "low", "high")
#: Artifacts that decide what later commands say about a run.
_DECISIVE = ("folds.parquet", "features.parquet", "oof.parquet")


class Run:
    """A configuration and the folder it fills.

    Args:
        config: Resolved settings.
        folder: Where the artifacts are.
    """

    def __init__(self, config: Config, folder: RunFolder) -> None:
        self.config = config
        self.folder = folder
        self.manifest = Manifest(folder.root)
        self._inputs: dict[str, str | None] = {}

    @property
    def threads(self) -> int:
        """CPU threads to use."""
        return self.config.compute.threads or os.cpu_count() or 1

    @property
    def compute(self) -> Compute:
        """What the image models and the fitted run may use."""
        settings = self.config.compute
        devices = {name: model.device for name, model in self.config.image_models.items()}
        return Compute(self.threads, devices, settings.engine, settings.address, remember=True)

    def fitted(self) -> FittedRun:
        """The run in the form that scores new lesions; see `FittedRun.load`."""
        return FittedRun.load(self.folder.root, self.compute)

    @cached_property
    def executor(self) -> Executor:
        """What distributes the run's work, as `[compute]` says."""
        settings = self.config.compute
        opened = ExitStack()
        atexit.register(opened.close)
        return opened.enter_context(open_executor(settings.engine, address=settings.address, cores=self.threads))

    @cached_property
    def runner(self) -> JobRunner:
        """Does the run's jobs and stores their results."""
        return JobRunner(self.results, self.executor)

    @property
    def results(self) -> ResultStore:
        """The result store; it lists what is asked for by features and folds, whatever `[ensemble]` said then."""
        recorded = self.manifest.recorded
        read = [recorded.get(path.name) for path in (self.folder.features, self.folder.folds)]
        return ResultStore(self.folder.results, fingerprint(read))

    @property
    def state(self) -> dict[str, str]:
        """SHA-256 of folds, features and out-of-fold scores, as far as they are finished.

        A command that writes about the run stores it as `made_from`, so that the report can tell whether the run has
        been retrained since.
        """
        recorded = self.manifest.recorded
        return {name: recorded[name] for name in _DECISIVE if name in recorded}

    def input_sha256(self, name: str) -> str | None:
        """SHA-256 of an input file or folder by its key in `input_paths`; None if not given.

        Raises:
            InputError: It cannot be read.
        """
        if name not in self._inputs:
            path = input_paths(self.config).get(name)
            self._inputs[name] = None if path is None else _sha256_of_input(name, path)
        return self._inputs[name]

    @cached_property
    def lesions(self) -> Lesions:
        """The canonical training table.

        Raises:
            InputError: The run has none yet, or it was changed.
        """
        self.manifest.check(self.folder.lesions)
        return Lesions.read(self.folder.lesions)

    @property
    def prevalence(self) -> float | None:
        """Malignant share at which risks are stated: as configured, or before thinning; None for the run's own."""
        thinned: float | None = self.lesions.facts.get("prevalence")
        return self.config.calibration.prevalence or thinned

    def read_rows(self, path: Path, *, columns: list[str] | None = None) -> pl.DataFrame:
        """A table of the run, whose rows are those of `lesions`, in their order; see `cohort.lesions.read_rows`.

        Raises:
            InputError: It is not the one that the run wrote, or is older than what it was made from.
        """
        self.manifest.check(path)
        return read_rows(path, self.lesions.checksum, columns=columns)

    @property
    def image_models(self) -> list[ImageModel]:
        """The image models in the order of the configuration; the scores of the only one are called "score"."""
        models = self.config.image_models
        return [ImageModel(name, SCORE if len(models) == 1 else name, one.views) for name, one in models.items()]

    def image_folder(self, model: ImageModel) -> Path:
        """The folder of an image model."""
        return self.folder.images / model.name

    def image_tables(self, model: ImageModel) -> list[Path]:
        """An image model's tables of the training lesions: scores, and scores with embeddings, if it has any."""
        return [self.image_folder(model) / name for name in ("oof.parquet", "embeddings.parquet")]

    @property
    def image_table(self) -> Path | None:
        """The image scores of the training lesions, out of fold, for the `image` feature group; None without."""
        models = self.image_models
        if not models:
            return self.config.data.image_scores
        if len(models) > 1:
            return self.folder.image_scores
        scores, embeddings = self.image_tables(models[0])
        return embeddings if embeddings.is_file() else scores

    @property
    def image_artifacts(self) -> list[Path]:
        """The files of the run that `image_table` may be."""
        models = self.image_models
        return self.image_tables(models[0]) if len(models) == 1 else [self.folder.image_scores] * bool(models)

    @cached_property
    def image_scores(self) -> pl.DataFrame | None:
        """`image_table`, read.

        Raises:
            InputError: It is not a table of image scores, or not the one that the run wrote.
        """
        if self.image_table is None:
            return None
        self.manifest.check(*(path for path in self.image_artifacts if path == self.image_table))
        return read_image_table(self.image_table)

    @cached_property
    def has_crop(self) -> npt.NDArray[np.bool_]:
        """Which lesions have a crop that can be read, according to `image_table`."""
        return has_image(self.lesions.frame[ID], self.image_scores)

    @property
    def feature_groups(self) -> list[str]:
        """The configured groups, the user's own features, and those of image scores if crops are scored."""
        groups = [*self.config.features.groups, *(one.switch for one in self.config.features.own_features)]
        wanted = self.config.data.images is not None and not any(group.split(".")[0] == "image" for group in groups)
        return [*groups, *IMAGE_GROUPS] if wanted else groups

    @property
    def fusion(self) -> FusionName:
        """How images are used: as configured, but "early" unless there are both image scores and table features."""
        groups = self.feature_groups
        scored = self.config.data.images is not None or (
            self.image_scores is not None and any(dtype.is_numeric() for dtype in self.image_scores.schema.values())
        )
        built = any(group in {"image", "image.score"} for group in groups)
        table = any(group.partition(".")[0] != "image" for group in groups)
        return self.config.ensemble.fusion if scored and built and table else "early"

    @property
    def origin(self) -> str:
        """Whether the lesions are "simulated", "real" or of "unknown" origin."""
        return origin_of(self.lesions.facts["origin"], simulated=self.config.data.truth is not None)["kind"]

    @cached_property
    def folds(self) -> Folds:
        """The frozen folds, their hash checked; rows are those of `lesions`.

        Raises:
            InputError: They were changed, or are of other lesions.
        """
        self.manifest.check(self.folder.folds)
        folds = Folds.read(self.folder.folds)
        if not folds.frame[ID].equals(self.lesions.frame[ID]):
            raise InputError(
                "these are folds of other lesions",
                where=str(self.folder.folds),
                remedy="delete it and start `uglyduck run` again",
            )
        return folds

    @cached_property
    def fold(self) -> npt.NDArray[np.int8]:
        """Fold of each lesion, in the first repeat."""
        return np.asarray(self.folds.frame["fold"])

    @property
    def scores(self) -> pl.DataFrame:
        """Each lesion's out-of-fold scores: ids, `target`, `fold`, a column per learner, `blend` and `risk`.

        Raises:
            InputError: The run is not finished.
        """
        self.manifest.check(self.folder.oof)
        return self.read_rows(self.folder.oof)

    @property
    def metrics(self) -> pl.DataFrame:
        """Every figure of the out-of-fold scores: `score`, `view`, `metric`, `estimate`, `low`, `high`.

        Raises:
            InputError: The run is not finished.
        """
        self.manifest.check(self.folder.metrics)
        return figures(read_json(self.folder.metrics)["scores"])

    @cached_property
    def features(self) -> pl.DataFrame:
        """The feature table."""
        return self.read_rows(self.folder.features)

    @cached_property
    def matrix(self) -> Matrix:
        """The design matrix of all training lesions."""
        return FeatureSpace.fit(self.features).encode(self.features)

    @cached_property
    def target(self) -> npt.NDArray[np.int8]:
        """0 benign, 1 malignant."""
        return np.asarray(self.lesions.frame["target"], dtype=np.int8)

    @cached_property
    def weight(self) -> npt.NDArray[np.float64] | None:
        """Training weight of each lesion; None if all count the same."""
        wanted, frame = self.config.ensemble.indeterminate_weight, self.lesions.frame
        if wanted == 1 or "iddx_1" not in frame.columns:
            return None
        return np.where((frame["iddx_1"] == "Indeterminate").fill_null(value=False).to_numpy(), wanted, 1.0)

    @cached_property
    def table(self) -> Table:
        """What the run's jobs read."""
        return Table(self.matrix, self.target, self.weight)

    @cached_property
    def members(self) -> dict[str, Member]:
        """The configured learners by name, and what each may see; without those for which nothing varies.

        Raises:
            InputError: The settings of a learner are wrong, or nothing varies for any of them.
        """
        configured, specs = configured_members(self.config.ensemble, self.fusion), self.specs
        for member in configured.values():
            member.features(specs)  # a group that the run does not build is a mistake, not a constant
        return seeing_members(configured, self.varying)

    @property
    def learners(self) -> dict[str, Learner]:
        """The learners whose scores are blended, by name."""
        return {name: member.learner for name, member in self.members.items()}

    @property
    def image_learners(self) -> set[str]:
        """Names of the learners that see nothing but images: their blend is joined with that of the others."""
        return {name for name, member in self.members.items() if member.kinds(self.varying) == {True}}

    @property
    def specs(self) -> list[dict[str, Any]]:
        """The feature dictionary: name, group, part and more of each built feature."""
        self.manifest.check(self.folder.dictionary)
        listed: list[dict[str, Any]] = read_json(self.folder.dictionary)["features"]
        return listed

    @cached_property
    def varying(self) -> list[dict[str, Any]]:
        """The entries of the feature dictionary whose feature is not the same for every training lesion.

        Reads the file, not the matrix: a study that has matrices of its own need not hold this one too.
        """
        specs = self.specs
        self.manifest.check(self.folder.features)
        asked = pl.scan_parquet(self.folder.features).select(spec["name"] for spec in specs)
        known = asked.with_columns(cs.float().fill_nan(None))
        found = known.select(_varies(spec["name"]) for spec in specs).collect(engine="streaming").row(0, named=True)
        return [spec for spec in specs if found[spec["name"]]]

    @property
    def image_features(self) -> set[str]:
        """Names of the built features that come from images."""
        return {spec["name"] for spec in self.specs if spec["group"] == "image"}

    @property
    def trained(self) -> dict[str, Member]:
        """The learners, and for those that see both images and table, twins that see the table alone."""
        return with_twins(self.members, self.varying) if self.config.ensemble.table_alone else self.members

    @property
    def table_models(self) -> dict[str, str]:
        """Which model takes each learner's place when only the table is seen; see `models_of_table_alone`."""
        return models_of_table_alone(self.members, self.varying) if self.config.ensemble.table_alone else {}

    @cached_property
    def plan(self) -> Plan:
        """Which models to train: the blended learners, and their twins without images if those are wanted."""
        settings, members, image, specs = self.config.ensemble, self.trained, self.image_features, self.specs
        seen = {name: member.features(specs) for name, member in members.items()}
        return Plan(
            {name: member.learner for name, member in members.items()},
            [assignment.to_numpy() for assignment in self.folds.assignments()],
            settings.seeds,
            settings.benign_per_malignant,
            features={name: names for name, names in seen.items() if names is not None},
            noise=dict.fromkeys(sorted(image), settings.image_noise) if settings.image_noise else {},
        )


def figures(summaries: Mapping[str, Mapping[str, Any]]) -> pl.DataFrame:
    """What `cv_folds.scoring.summarise` found, as a table: `score`, `view`, `metric`, `estimate`, `low`, `high`."""
    rows = [
        {"score": name, "view": view.replace("_", " "), "metric": metric, **{key: cell[key] for key in _CELL}}
        for name, found in summaries.items()
        for view in (POOLED, MEAN)
        for metric, cell in (found[view] or {}).items()
    ]
    text, number = dict.fromkeys(("score", "view", "metric"), pl.String), dict.fromkeys(_CELL, pl.Float64)
    return pl.DataFrame(rows, schema={**text, **number})


def _varies(name: str) -> pl.Expr:
    """Whether a column holds more than one value; missing counts as one."""
    column = pl.col(name)
    differs = (column.min() != column.max()).fill_null(value=False)
    return (differs | column.null_count().is_between(1, pl.len() - 1)).alias(name)


def open_run(root: Path) -> Run:
    """A finished run, opened for reading.

    Raises:
        InputError: The folder holds no run.
    """
    folder = RunFolder(holding_a_run(Path(root)))
    return Run(load_config(folder.config), folder)


def _sha256_of_input(name: str, path: Path) -> str:
    try:
        # The images of ISIC 2020 are too large to read in full.
        return fingerprint(tree(path)) if path.is_dir() else sha256_of(path)
    except OSError as error:
        raise InputError(
            f"cannot read this file ({error.strerror})", where=f"{input_key(name)} = {path}", remedy="check the path"
        ) from error
