"""XGBoost behind the learner protocol. UBJSON models round-trip bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import xgboost
from scipy.special import logit

from ensemble.learners.base import Parameters, Scores, Target, shares
from ensemble.learners.parameters import check_names
from ensemble.matrix import FeatureSpace, Matrix

# From the same public lineage as LightGBM's; its number of trees was the library's default.
DEFAULTS: Parameters = {
    "n_trees": 100,
    "learning_rate": 0.08501257,
    "max_depth": 6,
    "reg_lambda": 8.87962413,
    "reg_alpha": 0.67799266,
    "subsample": 0.60126814,
    "colsample_bytree": 0.84377723,
    "colsample_bylevel": 0.54760909,
    "colsample_bynode": 0.99286012,
    "scale_pos_weight": 3.29440313,
}
_FIXED: Parameters = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "device": "cpu",
    "validate_parameters": True,
}
# Set by a run itself.
_OURS = ("seed", "nthread")
# Aliases: "alias" at https://xgboost.readthedocs.io/en/stable/parameter.html, and the library's of _OURS.
_ALIASES = {
    "eta": "learning_rate",
    "lambda": "reg_lambda",
    "alpha": "reg_alpha",
    "min_split_loss": "gamma",
    "random_state": "seed",
    "n_jobs": "nthread",
}


@dataclass(frozen=True)
class XGBoost:
    """XGBoost with `parameters` over `DEFAULTS`: any of the library's, each by a single name, and `n_trees`."""

    parameters: Parameters
    name: ClassVar[str] = "xgboost"
    library: ClassVar[str] = "xgboost"
    suffix: ClassVar[str] = ".ubj"
    trial: ClassVar[Parameters] = {"n_trees": 1}

    @classmethod
    def configured(cls, parameters: Parameters) -> XGBoost:
        """Lay `parameters` over the defaults; the library says which names it does not know."""
        check_names(parameters, None, owner=(*_FIXED, *_OURS), aliases=_ALIASES, learner=cls.name)
        return cls({**DEFAULTS, **parameters})

    def options(self, *, seed: int, threads: int) -> tuple[dict[str, Any], int]:
        """The parameters given to the library, and the number of trees."""
        options = {**self.parameters, **_FIXED, "seed": seed, "nthread": threads}
        return options, options.pop("n_trees")

    def fit(
        self, matrix: Matrix, target: Target, *, seed: int, threads: int, weight: Scores | None = None
    ) -> XGBoostModel:
        """See `Learner.fit`."""
        options, n_trees = self.options(seed=seed, threads=threads)
        data = quantised(matrix.values, matrix.space, options, label=target, weight=weight)
        return XGBoostModel(xgboost.train(options, data, num_boost_round=n_trees), matrix.space)

    def load(self, path: Path, space: FeatureSpace) -> XGBoostModel:
        """See `Learner.load`."""
        return XGBoostModel(xgboost.Booster(model_file=str(path)), space)


@dataclass(frozen=True)
class XGBoostModel:
    """A fitted XGBoost booster."""

    booster: xgboost.Booster
    space: FeatureSpace

    def predict(self, matrix: Matrix, *, threads: int) -> Scores:
        """See `Model.predict`."""
        self.booster.set_param({"nthread": threads})
        values = matrix.for_model(self.space)
        return np.asarray(self.booster.inplace_predict(values, validate_features=False), dtype=np.float64)

    def contributions(self, matrix: Matrix, *, threads: int) -> Scores:
        """See `Model.contributions`."""
        self.booster.set_param({"nthread": threads})
        data = xgboost.DMatrix(
            matrix.for_model(self.space), feature_types=_types(self.space), enable_categorical=True, nthread=threads
        )
        found = np.asarray(self.booster.predict(data, pred_contribs=True), dtype=np.float64)
        # The library adds in single precision; its rounding error, about 1e-6, goes to the base, so that rows sum up.
        found[:, -1] += logit(self.predict(matrix, threads=threads)) - found.sum(axis=1)
        return found

    def gain(self) -> Scores:
        """See `Model.gain`."""
        found = self.booster.get_score(importance_type="total_gain")
        return shares(np.array([found.get(f"f{place}", 0.0) for place in range(len(self.space.names))]))

    def save(self, path: Path) -> None:
        """See `Model.save`."""
        path.write_bytes(self.booster.save_raw("ubj"))  # the library can write, but does not always report failure


def quantised(
    values: npt.NDArray[np.float32], space: FeatureSpace, options: Mapping[str, Any], **given: object
) -> xgboost.QuantileDMatrix:
    """Values of shape (rows, features) as the library trains on them.

    Args:
        values: Features, float32.
        space: The feature space of the values.
        options: Options of the training.
        given: Further arguments of the library: label, weight, a matrix whose borders are reused.
    """
    return xgboost.QuantileDMatrix(
        values,
        feature_types=_types(space),
        enable_categorical=True,
        nthread=options["nthread"],
        max_bin=options.get("max_bin", 256),
        **given,
    )


def _types(space: FeatureSpace) -> list[str]:
    return ["c" if name in space.levels else "float" for name in space.names]
