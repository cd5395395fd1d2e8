"""One run: its configuration, its folder, and what its stages share in memory, each read once when first needed."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.errors import InputError
from cohort.files import sha256_of
from cohort.frames import join_by_id
from cohort.reading import Cohort, read_cohort
from cv_folds.folds import Folds
from ensemble.learners import Learner, get_learner
from ensemble.matrix import FeatureSpace, Matrix
from ensemble.out_of_fold import Plan
from uglyduck.config import Config
from uglyduck.run_folder import Manifest, RunFolder


class Run:
    """A configuration and the folder it fills.

    Args:
        config: Resolved settings.
        folder: Where artifacts lie.
    """

    def __init__(self, config: Config, folder: RunFolder) -> None:
        self.config = config
        self.folder = folder
        self.manifest = Manifest(folder)

    @property
    def threads(self) -> int:
        """CPU threads to use."""
        return self.config.compute.threads or os.cpu_count() or 1

    @cached_property
    def inputs(self) -> dict[str, str]:
        """SHA-256 of every input file, by its key in `[data]`."""
        data = self.config.data
        paths = {name: getattr(data, name) for name in ("metadata", "image_scores", "duplicates", "groups")}
        return {name: _sha256_of_input(name, path) for name, path in paths.items() if path is not None}

    @cached_property
    def cohort(self) -> Cohort:
        """The training table in canonical form."""
        data = self.config.data
        return read_cohort(
            data.metadata,
            labels="required",
            duplicates=data.duplicates,
            duplicate_policy=data.duplicate_policy,
            groups=data.groups,
            ungrouped=data.ungrouped,
        )

    @cached_property
    def image_scores(self) -> pl.DataFrame | None:
        """Scores from images for the `image` feature group, if any are configured."""
        path = self.config.data.image_scores
        return None if path is None else pl.read_parquet(path)

    @cached_property
    def folds(self) -> Folds:
        """The frozen folds, their hash checked."""
        return Folds.read(self.folder.folds)

    @cached_property
    def features(self) -> pl.DataFrame:
        """The feature table in the order of the folds."""
        return join_by_id(self.folds.frame.select("isic_id"), pl.read_parquet(self.folder.features))

    @cached_property
    def matrix(self) -> Matrix:
        """The design matrix of all training lesions, in the order of the folds."""
        return FeatureSpace.fit(self.features).encode(self.features)

    @property
    def target(self) -> npt.NDArray[np.int8]:
        """0 benign, 1 malignant, in the order of the folds."""
        return np.asarray(self.folds.frame["target"], dtype=np.int8)

    @cached_property
    def learners(self) -> dict[str, Learner]:
        """The configured learners by name."""
        settings = self.config.ensemble
        if unused := sorted(set(settings.parameters) - set(settings.learners)):
            raise InputError(
                f"parameters for {', '.join(unused)}, which the run does not train",
                where="[ensemble.parameters]",
                remedy=f"the learners are {', '.join(settings.learners)}",
            )
        return {name: get_learner(name, settings.parameters.get(name, {})) for name in settings.learners}

    @cached_property
    def identity(self) -> dict[str, str]:
        """What the models are trained on, by SHA-256."""
        return {"features": self.manifest.sha256(self.folder.features), "folds": self.folds.sha256}

    @property
    def plan(self) -> Plan:
        """Which models to train."""
        settings = self.config.ensemble
        assignments = [assignment.to_numpy() for assignment in self.folds.assignments()]
        return Plan(self.learners, assignments, settings.seeds, settings.benign_per_malignant, self.identity)


def _sha256_of_input(name: str, path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise InputError(
            f"cannot read this file ({error.strerror})", where=f"[data] {name} = {path}", remedy="check the path"
        ) from error
