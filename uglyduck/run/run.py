"""One run: its configuration, its folder, and what its stages share in memory, each read once when first needed."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.frames import join_by_id
from cohort.reading import Cohort, read_cohort
from cv_folds.folds import Folds
from engine.errors import InputError
from engine.files import fingerprint, read_json, sha256_of
from ensemble.learners import Learner
from ensemble.matrix import FeatureSpace, Matrix
from ensemble.out_of_fold import Plan
from features.patients.image_tables import read_image_table
from uglyduck.run.config import Config
from uglyduck.run.folder import Manifest, RunFolder
from uglyduck.run.members import Member, configured_members, models_of_table_alone, with_twins
from uglyduck.run.provenance import made_by

#: Packages whose code makes a model.
TRAINING = ("cohort", "ensemble")


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
        paths = {
            name: getattr(data, name)
            for name in ("metadata", "images", "image_scores", "duplicates", "groups", "truth")
        }
        paths["weights"] = self.config.images.weights if data.images else None
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
        if self.config.data.images is not None:
            return pl.read_parquet(self.folder.image_scores)
        path = self.config.data.image_scores
        return None if path is None else read_image_table(path)

    @property
    def feature_groups(self) -> list[str]:
        """The configured groups, and `image` where crops are scored."""
        groups = list(self.config.features.groups)
        wanted = self.config.data.images is not None and not any(group.split(".")[0] == "image" for group in groups)
        return [*groups, "image"] if wanted else groups

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
    def members(self) -> dict[str, Member]:
        """The configured learners by name, and what each may see."""
        return configured_members(self.config.ensemble)

    @property
    def learners(self) -> dict[str, Learner]:
        """The learners whose scores are blended, by name."""
        return {name: member.learner for name, member in self.members.items()}

    @cached_property
    def identity(self) -> dict[str, str]:
        """What the models are trained on, by SHA-256."""
        return {"features": self.manifest.sha256(self.folder.features), "folds": self.folds.sha256}

    @property
    def specs(self) -> list[dict[str, Any]]:
        """The feature dictionary: name, group, part and more of each built feature."""
        listed: list[dict[str, Any]] = read_json(self.folder.dictionary)["features"]
        return listed

    @property
    def image_features(self) -> set[str]:
        """Names of the built features that come from images."""
        return {spec["name"] for spec in self.specs if spec["group"] == "image"}

    @property
    def trained(self) -> dict[str, Member]:
        """What is trained: the learners and, of those that see images and the table, twins that see the table alone."""
        return with_twins(self.members, self.specs) if self.config.ensemble.table_alone else self.members

    @property
    def table_models(self) -> dict[str, str]:
        """Which model stands for each learner where the table alone is seen; see `models_of_table_alone`."""
        return models_of_table_alone(self.members, self.specs) if self.config.ensemble.table_alone else {}

    @cached_property
    def plan(self) -> Plan:
        """Which models to train: the blended learners, and their twins without images where those are asked for."""
        settings, members, image = self.config.ensemble, self.trained, self.image_features
        seen = {name: member.features(self.specs) for name, member in members.items()}
        return Plan(
            {name: member.learner for name, member in members.items()},
            [assignment.to_numpy() for assignment in self.folds.assignments()],
            settings.seeds,
            settings.benign_per_malignant,
            {
                **self.identity,
                "made_by": made_by(TRAINING),
                "indeterminate_weight": str(settings.indeterminate_weight),
            },
            features={name: names for name, names in seen.items() if names is not None},
            weight=self._weight(),
            noise=dict.fromkeys(sorted(image), settings.image_noise) if settings.image_noise else {},
        )

    def _weight(self) -> npt.NDArray[np.float64] | None:
        """Training weight of each lesion in the order of the folds; None where all count alike."""
        wanted = self.config.ensemble.indeterminate_weight
        if wanted == 1 or "iddx_1" not in self.cohort.frame.columns:
            return None
        diagnosis = join_by_id(self.folds.frame.select("isic_id"), self.cohort.frame.select("isic_id", "iddx_1"))
        return np.where((diagnosis["iddx_1"] == "Indeterminate").fill_null(value=False).to_numpy(), wanted, 1.0)


def _sha256_of_input(name: str, path: Path) -> str:
    try:
        return _sha256_of_folder(path) if path.is_dir() else sha256_of(path)
    except OSError as error:
        raise InputError(
            f"cannot read this file ({error.strerror})", where=f"{name} = {path}", remedy="check the path"
        ) from error


def _sha256_of_folder(path: Path) -> str:
    """SHA-256 over name, size and time of change of each file: the images of ISIC 2020 are too many bytes to read."""
    with os.scandir(path) as entries:
        files = sorted((entry.name, (found := entry.stat()).st_size, found.st_mtime_ns) for entry in entries)
    return fingerprint(files)
