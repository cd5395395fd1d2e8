"""Tuning: Optuna searches a learner's parameters by the run's patient folds; the gain is estimated honestly."""

from ensemble.tuning.outer import tune_by_fold
from ensemble.tuning.problem import Problem
from ensemble.tuning.result import tuned
from ensemble.tuning.search import Effort, search
from ensemble.tuning.spaces import SPACES, Range
from ensemble.tuning.study import Tally

__all__ = ["SPACES", "Effort", "Problem", "Range", "Tally", "search", "tune_by_fold", "tuned"]
