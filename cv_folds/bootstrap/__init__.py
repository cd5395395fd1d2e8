"""The exact patient bootstrap: intervals and paired differences of every metric."""

from cv_folds.bootstrap.compare import metric_interval, paired_difference
from cv_folds.bootstrap.intervals import Difference, Interval, Method
from cv_folds.bootstrap.reliability import Reliability, reliabilities
from cv_folds.bootstrap.replicates import POOLED, Replicates, replicate

__all__ = [
    "POOLED",
    "Difference",
    "Interval",
    "Method",
    "Reliability",
    "Replicates",
    "metric_interval",
    "paired_difference",
    "reliabilities",
    "replicate",
]
