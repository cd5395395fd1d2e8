"""CatBoost behind the learner protocol. Binary cbm models round-trip bit for bit (JSON models do not)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import catboost
import numpy as np
import numpy.typing as npt
import pandas as pd

from ensemble.learners.base import Parameters, Scores, Target, base_log_odds, shares
from ensemble.learners.parameters import check_names
from ensemble.matrix import FeatureSpace, Matrix

# From the same public lineage as LightGBM's.
DEFAULTS: Parameters = {
    "n_trees": 250,
    "learning_rate": 0.06936242,
    "depth": 7,
    "l2_leaf_reg": 6.21611385,
    "bootstrap_type": "Bernoulli",
    "subsample": 0.62492618,
    "min_data_in_leaf": 24,
    "scale_pos_weight": 2.61493458,
}
#: A model depends on the number of threads that trained it (equally good splits come in another order), so the number
#: is fixed; on a machine with fewer cores threads take turns.
TRAINING_THREADS = 4
_FIXED: Parameters = {"loss_function": "Logloss", "allow_writing_files": False, "verbose": False, "task_type": "CPU"}
# Otherwise the library measures its training loss after each tree, which nobody reads: 5 % of the time.
_UNMEASURED: Parameters = {"eval_metric": "Logloss:hints=skip_train~true"}
# Set by a run itself.
_OURS = ("random_seed", "thread_count")
# Aliases, from `_process_synonyms` in the library's catboost/core.py.
_ALIASES = {
    "eta": "learning_rate",
    "max_bin": "border_count",
    "max_depth": "depth",
    "colsample_bylevel": "rsm",
    "reg_lambda": "l2_leaf_reg",
    "iterations": "n_trees",
    "n_estimators": "n_trees",
    "num_boost_round": "n_trees",
    "num_trees": "n_trees",
    "early_stopping_rounds": "od_wait",
    "custom_loss": "custom_metric",
    "num_leaves": "max_leaves",
    "min_child_samples": "min_data_in_leaf",
    "objective": "loss_function",
    "random_state": "random_seed",
}


@dataclass(frozen=True)
class CatBoost:
    """CatBoost with `parameters` over `DEFAULTS`: any of the library's, each by a single name, and `n_trees`."""

    parameters: Parameters
    name: ClassVar[str] = "catboost"
    library: ClassVar[str] = "catboost"
    suffix: ClassVar[str] = ".cbm"
    trial: ClassVar[Parameters] = {"n_trees": 1}

    @classmethod
    def configured(cls, parameters: Parameters) -> CatBoost:
        """Lay `parameters` over the defaults; the library says which names it does not know."""
        check_names(parameters, None, owner=(*_FIXED, *_OURS), aliases=_ALIASES, learner=cls.name)
        return cls({**DEFAULTS, **parameters})

    def fit(
        self, matrix: Matrix, target: Target, *, seed: int, threads: int, weight: Scores | None = None
    ) -> CatBoostModel:
        """See `Learner.fit`."""
        del threads  # see TRAINING_THREADS
        own = {"random_seed": seed, "thread_count": TRAINING_THREADS}
        options = {**_UNMEASURED, **self.parameters, **_FIXED, **own}
        options["iterations"] = options.pop("n_trees")
        booster = catboost.CatBoost(options)
        try:
            booster.fit(pool_of(matrix, matrix.space, target, weight))
        except catboost.CatBoostError as error:
            if not says_constant(error):
                raise
            booster = self._blind(matrix, target, weight)
        metadata = booster.get_metadata()
        metadata["train_finish_time"] = metadata["model_guid"] = ""  # else equal models differ in their bytes
        return CatBoostModel(booster, matrix.space)

    def _blind(self, matrix: Matrix, target: Target, weight: Scores | None) -> catboost.CatBoost:
        """A model for constant features, which the library refuses: the base rate, and a tree that adds nothing."""
        values = matrix.values.copy()
        values[0, 0] = 0 if np.isnan(values[0, 0]) else np.nan
        booster = catboost.CatBoost({**_FIXED, "iterations": 1, "depth": 1, "thread_count": TRAINING_THREADS})
        booster.fit(pool_of(Matrix(matrix.space, values), matrix.space, target))
        booster.set_leaf_values(np.zeros(len(booster.get_leaf_values())))
        of_class = np.where(target == 1, self.parameters["scale_pos_weight"], 1.0)
        booster.set_scale_and_bias(1.0, base_log_odds(target, of_class if weight is None else of_class * weight))
        return booster

    def load(self, path: Path, space: FeatureSpace) -> CatBoostModel:
        """See `Learner.load`."""
        booster = catboost.CatBoost()
        booster.load_model(str(path))
        return CatBoostModel(booster, space)


@dataclass(frozen=True)
class CatBoostModel:
    """A fitted CatBoost model."""

    booster: catboost.CatBoost
    space: FeatureSpace

    def predict(self, matrix: Matrix, *, threads: int) -> Scores:
        """See `Model.predict`."""
        pool = pool_of(matrix, self.space, None)
        scores = self.booster.predict(pool, prediction_type="Probability", thread_count=threads)
        return np.ascontiguousarray(scores[:, 1], dtype=np.float64)

    def contributions(self, matrix: Matrix, *, threads: int) -> Scores:
        """See `Model.contributions`."""
        pool = pool_of(matrix, self.space, None)
        # The library's "Auto" takes another path for few rows, which changes the last bits of a single lesion.
        found = self.booster.get_feature_importance(
            pool, type="ShapValues", shap_mode="UsePreCalc", thread_count=threads
        )
        return np.asarray(found, dtype=np.float64)[:, [*np.argsort(pool_order(self.space)), -1]]

    def gain(self) -> Scores:
        """See `Model.gain`."""
        found = self.booster.get_feature_importance(type="PredictionValuesChange")
        return shares(np.asarray(found, dtype=np.float64)[np.argsort(pool_order(self.space))])

    def save(self, path: Path) -> None:
        """See `Model.save`."""
        self.booster.save_model(str(path), format="cbm")


def says_constant(error: catboost.CatBoostError) -> bool:
    """Whether the library refuses a pool in which no feature varies."""
    return "All features are either constant" in str(error)


def pool_order(space: FeatureSpace) -> list[int]:
    """Positions of the features in the order in which a pool holds them: numbers, then categories."""
    categorical = set(space.categorical)
    return sorted(range(len(space.names)), key=lambda position: position in categorical)


def pool_of(matrix: Matrix, space: FeatureSpace, target: Target | None, weight: Scores | None = None) -> catboost.Pool:
    """The features of a space, numbers first, then categories; a missing category is a level of its own.

    CatBoost uses contiguous columns without copying them.
    """
    places, order = matrix.places(space), pool_order(space)
    numbers = len(order) - len(space.categorical)
    columns = [matrix.columns[places[position]] for position in order]
    columns[numbers:] = [_levels(column) for column in columns[numbers:]]
    table = pd.DataFrame({str(place): column for place, column in enumerate(columns)}, copy=False)
    return catboost.Pool(table, label=target, weight=weight, cat_features=list(range(numbers, len(columns))))


def _levels(codes: npt.NDArray[np.float32]) -> pd.Categorical:
    whole = np.where(np.isnan(codes), 0, codes + 1).astype(np.int32)
    return pd.Categorical.from_codes(whole, [str(code) for code in range(-1, int(whole.max(initial=0)))])
