"""The exact patient bootstrap: intervals and paired differences of every ranking metric."""

from cv_folds.bootstrap.compare import metric_interval, paired_difference
from cv_folds.bootstrap.intervals import Difference, Interval, Method
from cv_folds.bootstrap.replicates import POOLED, Replicates, replicate

__all__ = [
    "POOLED",
    "Difference",
    "Interval",
    "Method",
    "Replicates",
    "metric_interval",
    "paired_difference",
    "replicate",
]
