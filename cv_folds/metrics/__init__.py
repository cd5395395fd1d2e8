"""Metrics of a lesion score, each with its formula in the docstring of the function of counts behind it."""

from cv_folds.metrics.partial_auc import partial_auc
from cv_folds.metrics.ranking import roc_auc
from cv_folds.metrics.registry import (
    AUC,
    METRICS,
    PAUC,
    SENSITIVITY883,
    SETOP15,
    Metric,
    RankMetric,
    RetrievalMetric,
    metric_named,
    nnt_at,
    retrieval_at,
    sensitivity_at,
    specificity_at,
)

__all__ = [
    "AUC",
    "METRICS",
    "PAUC",
    "SENSITIVITY883",
    "SETOP15",
    "Metric",
    "RankMetric",
    "RetrievalMetric",
    "metric_named",
    "nnt_at",
    "partial_auc",
    "retrieval_at",
    "roc_auc",
    "sensitivity_at",
    "specificity_at",
]
