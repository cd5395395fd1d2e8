"""Metrics of a lesion score: each a function of target, score and weight, with its formula in the docstring."""

from cv_folds.metrics.multiclass import balanced_accuracy, class_sensitivities
from cv_folds.metrics.partial_auc import partial_auc
from cv_folds.metrics.probability import brier_score, calibration_bins, calibration_error
from cv_folds.metrics.ranking import average_precision, roc_auc
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
from cv_folds.metrics.retrieval import retrieval_sensitivity
from cv_folds.metrics.threshold import nnt_at_sensitivity, sensitivity_at_specificity, specificity_at_sensitivity

__all__ = [
    "AUC",
    "METRICS",
    "PAUC",
    "SENSITIVITY883",
    "SETOP15",
    "Metric",
    "RankMetric",
    "RetrievalMetric",
    "average_precision",
    "balanced_accuracy",
    "brier_score",
    "calibration_bins",
    "calibration_error",
    "class_sensitivities",
    "metric_named",
    "nnt_at",
    "nnt_at_sensitivity",
    "partial_auc",
    "retrieval_at",
    "retrieval_sensitivity",
    "roc_auc",
    "sensitivity_at",
    "sensitivity_at_specificity",
    "specificity_at",
    "specificity_at_sensitivity",
]
