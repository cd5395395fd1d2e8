"""Parameters of the learners by preset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from ensemble.learners.base import Parameters

Preset = Literal["tuned", "documented"]
PRESETS: tuple[Preset, ...] = get_args(Preset)

#: The best trial of `uglyduck tune` on a simulated cohort of the published size; docs/tuning.md says how, and what it
#: gains. CatBoost's borders and one-hot categories were set before its search, for speed; the numbers of trees of
#: LightGBM and CatBoost were set after theirs. The parameters that the leading public ISIC 2024 solutions share
#: ("documented") are the learners' own defaults.
TUNED: Mapping[str, Parameters] = {
    "lightgbm": {
        "n_trees": 100,
        "learning_rate": 0.0932,
        "max_depth": 9,
        "num_leaves": 6,
        "min_data_in_leaf": 114,
        "lambda_l1": 1.688,
        "lambda_l2": 0.00146,
        "feature_fraction": 0.495,
        "feature_fraction_bynode": 0.5507,
        "bagging_fraction": 0.9963,
        "scale_pos_weight": 3.459,
    },
    "xgboost": {
        "learning_rate": 0.2005,
        "max_depth": 2,
        "min_child_weight": 1.902,
        "reg_alpha": 0.00491,
        "reg_lambda": 0.01866,
        "subsample": 0.6904,
        "colsample_bytree": 0.7002,
        "colsample_bylevel": 0.5476,
        "colsample_bynode": 0.9762,
        "scale_pos_weight": 3.805,
    },
    "catboost": {
        "n_trees": 120,
        "learning_rate": 0.1725,
        "depth": 4,
        "l2_leaf_reg": 4.961,
        "random_strength": 4.214,
        "subsample": 0.9319,
        "rsm": 0.8923,
        "scale_pos_weight": 1.06,
        "border_count": 64,
        "one_hot_max_size": 255,
    },
}


def preset_parameters(learner: str, preset: Preset) -> dict[str, Any]:
    """Parameters that a preset lays over the learner's own defaults; none for a learner that it does not know."""
    return dict(TUNED.get(learner, {})) if preset == "tuned" else {}
