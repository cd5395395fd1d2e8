"""Ranking metrics as values, so that scoring and the bootstrap can take any of them by name or made to measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from cv_folds.metrics.counts import RankCounts
from cv_folds.metrics.inputs import Floats
from cv_folds.metrics.partial_auc import partial_auc_of
from cv_folds.metrics.ranking import average_precision_of, roc_auc_of
from cv_folds.metrics.threshold import (
    nnt_at_sensitivity_of,
    sensitivity_at_specificity_of,
    specificity_at_sensitivity_of,
)
from engine.errors import InputError


@dataclass(frozen=True)
class RankMetric:
    """A metric that follows from the weights around the malignant scores.

    Attributes:
        name: As in JSON and on the command line.
        label: As a reader knows it.
        of: From counts of shape (G,) or (G, R) to values of shape () or (R,).
        higher_is_better: Whether a larger value is the better one.
    """

    name: str
    label: str
    of: Callable[[RankCounts], Floats]
    higher_is_better: bool = True


@dataclass(frozen=True)
class RetrievalMetric:
    """Top-k retrieval sensitivity: it needs patients, and only the order within each.

    Attributes:
        name: As in JSON and on the command line.
        label: As a reader knows it.
        k: Length of a patient's shortlist.
        higher_is_better: Always True.
    """

    name: str
    label: str
    k: int = 15
    higher_is_better: bool = True


Metric = RankMetric | RetrievalMetric

PAUC = RankMetric("pauc", "pAUC", partial_auc_of)
AUC = RankMetric("auc", "AUC", roc_auc_of)
SETOP15 = RetrievalMetric("setop15", "SEtop15", 15)

_ALL: tuple[Metric, ...] = (
    PAUC,
    AUC,
    SETOP15,
    RankMetric("average_precision", "Average precision", average_precision_of),
    RankMetric("nnt80", "NNT at 80 % sensitivity", partial(nnt_at_sensitivity_of, sensitivity=0.8), False),
    RankMetric("nnt90", "NNT at 90 % sensitivity", partial(nnt_at_sensitivity_of, sensitivity=0.9), False),
    RankMetric(
        "specificity80", "Specificity at 80 % sensitivity", partial(specificity_at_sensitivity_of, sensitivity=0.8)
    ),
    RankMetric(
        "specificity90", "Specificity at 90 % sensitivity", partial(specificity_at_sensitivity_of, sensitivity=0.9)
    ),
    RankMetric(
        "sensitivity80", "Sensitivity at 80 % specificity", partial(sensitivity_at_specificity_of, specificity=0.8)
    ),
    RankMetric(
        "sensitivity90", "Sensitivity at 90 % specificity", partial(sensitivity_at_specificity_of, specificity=0.9)
    ),
)

#: Every named metric, in the order of reports.
METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}


def metric_named(name: str) -> Metric:
    """Look a metric up by name.

    Raises:
        InputError: There is none of that name.
    """
    if name not in METRICS:
        raise InputError(f"no metric {name!r}", where="metric", remedy=f"choose from {', '.join(METRICS)}")
    return METRICS[name]
