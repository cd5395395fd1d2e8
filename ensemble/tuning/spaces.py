"""The ranges in which each learner's parameters are searched.

The number of trees is not searched: it trades off against the learning rate, which is, and a fixed number makes
every trial take about the same time. Parameters that are not listed stay as the run has them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import optuna

Edge = Literal["low", "high"]

#: A value within this outermost share of its range (on the logarithmic scale, if that is searched) is at the edge.
EDGE_SHARE = 0.05


@dataclass(frozen=True)
class Range:
    """The values one parameter may take.

    Attributes:
        name: The parameter, as the library calls it.
        low: Least value.
        high: Largest value.
        log: Whether the range is logarithmic.
        whole: Whether only whole numbers make sense.
        wall: An end that is a limit of the parameter itself, such as a share of 1, and cannot be widened.
    """

    name: str
    low: float
    high: float
    log: bool = False
    whole: bool = False
    wall: Edge | None = None

    def suggest(self, trial: optuna.Trial) -> float | int:
        """Let the sampler choose a value for this trial."""
        if self.whole:
            return trial.suggest_int(self.name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)

    def edge(self, value: float) -> Edge | None:
        """The end of the range that `value` lies at, so that the best may lie beyond; None inside, and at a wall."""
        scale = math.log if self.log else float
        share = (scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low))
        end: Edge | None = "low" if share <= EDGE_SHARE else "high" if share >= 1 - EDGE_SHARE else None
        return None if end == self.wall else end


SPACES: dict[str, tuple[Range, ...]] = {
    "lightgbm": (
        Range("learning_rate", 0.01, 0.2, log=True),
        Range("max_depth", 3, 10, whole=True),
        Range("num_leaves", 4, 128, log=True, whole=True),
        Range("min_data_in_leaf", 10, 400, log=True, whole=True),
        Range("lambda_l1", 1e-3, 10, log=True),
        Range("lambda_l2", 1e-3, 10, log=True),
        Range("feature_fraction", 0.2, 1.0, wall="high"),
        Range("feature_fraction_bynode", 0.2, 1.0, wall="high"),
        Range("bagging_fraction", 0.3, 1.0, wall="high"),
        Range("scale_pos_weight", 1, 10, log=True),
    ),
    "xgboost": (
        Range("learning_rate", 0.01, 0.3, log=True),
        Range("max_depth", 2, 10, whole=True),
        Range("min_child_weight", 0.1, 100, log=True),
        Range("reg_alpha", 1e-3, 10, log=True),
        Range("reg_lambda", 1e-2, 100, log=True),
        Range("subsample", 0.3, 1.0, wall="high"),
        Range("colsample_bytree", 0.2, 1.0, wall="high"),
        Range("colsample_bynode", 0.2, 1.0, wall="high"),
        Range("scale_pos_weight", 1, 10, log=True),
    ),
    "catboost": (
        Range("learning_rate", 0.01, 0.3, log=True),
        Range("depth", 3, 9, whole=True),
        Range("l2_leaf_reg", 0.5, 50, log=True),
        Range("random_strength", 0.1, 10, log=True),
        Range("subsample", 0.3, 1.0, wall="high"),
        Range("rsm", 0.2, 1.0, wall="high"),
        Range("scale_pos_weight", 1, 10, log=True),
    ),
    "logistic": (
        Range("C", 1e-4, 10, log=True),
        Range("benign_weight", 0.01, 1, log=True, wall="high"),
    ),
}
"""By learner; the defaults of `ensemble.learners` lie inside."""
