"""LightGBM behind the learner protocol. Text models round-trip bit for bit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import lightgbm
import numpy as np

from ensemble.learners.base import Parameters, Scores, Target, shares
from ensemble.learners.parameters import check_names
from ensemble.matrix import FeatureSpace, Matrix

# The parameters that most of the leading public ISIC 2024 solutions share (FEATURES: "greysky lineage").
# Their num_leaves of 103 is left out: depth 4 caps a tree at 16 leaves anyway.
DEFAULTS: Parameters = {
    "n_trees": 200,
    "learning_rate": 0.03231007,
    "max_depth": 4,
    "num_leaves": 16,
    "lambda_l1": 0.08758719,
    "lambda_l2": 0.00396892,
    "feature_fraction": 0.83295516,
    "feature_fraction_bynode": 0.40259614,
    "bagging_fraction": 0.77389545,
    "bagging_freq": 4,
    "min_data_in_leaf": 85,
    "scale_pos_weight": 2.79841848,
}
# The same bits at any number of threads, as one thread sums each column's histogram in the order of the rows, and next
# to any other columns, as there are no bundles of sparse columns, which are summed in another order. No early stopping.
_FIXED: Parameters = {
    "objective": "binary",
    "device_type": "cpu",
    "deterministic": True,
    "force_col_wise": True,
    "enable_bundle": False,
    "verbosity": -1,
}
# Set by a run itself.
_OURS = ("seed", "num_threads")
_THREADS = re.compile(r"^\[num_threads: \d+\]$", re.MULTILINE)


@dataclass(frozen=True)
class LightGBM:
    """LightGBM with `parameters` over `DEFAULTS`: any of the library's, each by a single name, and `n_trees`."""

    parameters: Parameters
    name: ClassVar[str] = "lightgbm"
    library: ClassVar[str] = "lightgbm"
    suffix: ClassVar[str] = ".txt"
    trial: ClassVar[Parameters] = {"n_trees": 1}

    @classmethod
    def configured(cls, parameters: Parameters) -> LightGBM:
        """Lay `parameters` over the defaults; an unknown name is refused."""
        known, aliases = _names()
        check_names(parameters, known, owner=(*_FIXED, *_OURS), aliases=aliases, learner=cls.name)
        return cls({**DEFAULTS, **parameters})

    def options(self, *, seed: int, threads: int) -> tuple[dict[str, Any], int]:
        """The parameters given to the library, and the number of trees."""
        options = {**self.parameters, **_FIXED, "seed": seed, "num_threads": threads}
        return options, options.pop("n_trees")

    def fit(
        self, matrix: Matrix, target: Target, *, seed: int, threads: int, weight: Scores | None = None
    ) -> LightGBMModel:
        """See `Learner.fit`."""
        options, n_trees = self.options(seed=seed, threads=threads)
        data = lightgbm.Dataset(
            matrix.values,
            label=target,
            weight=weight,
            # Our feature names may hold any character, so the library gets others.
            feature_name=[f"f{place}" for place in range(len(matrix.space.names))],
            categorical_feature=list(matrix.space.categorical),
            params=options,
        )
        return LightGBMModel(lightgbm.train(options, data, num_boost_round=n_trees), matrix.space)

    def load(self, path: Path, space: FeatureSpace) -> LightGBMModel:
        """See `Learner.load`."""
        return LightGBMModel(lightgbm.Booster(model_file=str(path)), space)


@dataclass(frozen=True)
class LightGBMModel:
    """A fitted LightGBM booster."""

    booster: lightgbm.Booster
    space: FeatureSpace

    def predict(self, matrix: Matrix, *, threads: int) -> Scores:
        """See `Model.predict`."""
        values = matrix.for_model(self.space)
        return np.asarray(self.booster.predict(values, num_threads=threads), dtype=np.float64)

    def contributions(self, matrix: Matrix, *, threads: int) -> Scores:
        """See `Model.contributions`."""
        values = matrix.for_model(self.space)
        return np.asarray(self.booster.predict(values, pred_contrib=True, num_threads=threads), dtype=np.float64)

    def gain(self) -> Scores:
        """See `Model.gain`."""
        gain = self.booster.feature_importance("gain")
        return shares(np.asarray(gain, dtype=np.float64))

    def save(self, path: Path) -> None:
        """See `Model.save`."""
        text = self.booster.model_to_string()
        path.write_bytes(_THREADS.sub("[num_threads: 0]", text).encode())  # else equal models differ in their bytes


def _names() -> tuple[set[str], dict[str, str]]:
    """The name in use here of every parameter, and that name by each of the library's aliases."""
    found = dict(lightgbm.basic._ConfigAliases._get_all_param_aliases())  # the only list there is
    found["n_trees"] = found.pop("num_iterations")
    return set(found), {other: name for name, others in found.items() for other in others if other != name}
