"""Ranking metrics as values: called on a score or passed to the bootstrap, named or custom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import polars as pl
from numpy.typing import ArrayLike

from cv_folds.metrics.counts import RankCounts, rank_counts
from cv_folds.metrics.inputs import Floats, checked_lesions, fraction, patient_codes
from cv_folds.metrics.partial_auc import partial_auc_of
from cv_folds.metrics.ranking import average_precision, roc_auc_of
from cv_folds.metrics.retrieval import expected_retrieval
from cv_folds.metrics.threshold import nnt_at_sensitivity, sensitivity_at_specificity, specificity_at_sensitivity
from engine.errors import InputError


@dataclass(frozen=True)
class RankMetric:
    """A metric that follows from the weights around the malignant scores.

    Attributes:
        name: As in JSON and on the command line.
        label: Name shown to readers.
        of: From counts of shape (G,) or (G, R) to values of shape () or (R,).
        higher_is_better: Whether a larger value is the better one.
        digits: Decimals shown to readers.
    """

    name: str
    label: str
    of: Callable[[RankCounts], Floats]
    higher_is_better: bool = True
    digits: int = 4

    def __call__(self, target: ArrayLike, score: ArrayLike, *, weight: ArrayLike | None = None) -> float:
        """Evaluate the metric.

        Args:
            target: 1 malignant, 0 benign; shape (lesions,).
            score: Finite; higher is more suspicious; shape (lesions,).
            weight: At least 0; shape (lesions,). None counts each lesion once.

        Raises:
            InputError: Bad arrays (see `checked_lesions`).
        """
        return float(self.of(rank_counts(target, score, weight)))


@dataclass(frozen=True)
class RetrievalMetric:
    """Top-k retrieval sensitivity (see `expected_retrieval`): it needs patients, and only the order within each.

    Attributes:
        name: As in JSON and on the command line.
        label: Name shown to readers.
        k: Length of a patient's shortlist.
        higher_is_better: Always True.
        digits: Decimals shown to readers.
    """

    name: str
    label: str
    k: int = 15
    higher_is_better: bool = True
    digits: int = 4

    def __call__(self, target: ArrayLike, score: ArrayLike, patient: ArrayLike | pl.Series) -> float:
        """Evaluate the metric: the mean over patients with a malignant lesion.

        Args:
            target: 1 malignant, 0 benign; shape (lesions,).
            score: Finite; higher is more suspicious; shape (lesions,).
            patient: Patient ids, text or integers; shape (lesions,).

        Raises:
            InputError: Bad arrays (see `checked_lesions`), a missing patient id, or k below 1.
        """
        lesions = checked_lesions(target, score)
        code = patient_codes(patient, lesions.score.size)
        return float(expected_retrieval(lesions.malignant, lesions.score, code, k=self.k)[1].mean())


Metric = RankMetric | RetrievalMetric


def sensitivity_at(specificity: float) -> RankMetric:
    """Sensitivity at a specificity in [0, 1], such as "sensitivity80"; others raise `InputError`."""
    fraction(specificity, "specificity")
    label = f"Sensitivity at {100 * specificity:g} % specificity"
    return RankMetric(
        _key("sensitivity", specificity), label, partial(sensitivity_at_specificity, specificity=specificity)
    )


def specificity_at(sensitivity: float) -> RankMetric:
    """Specificity at a sensitivity in (0, 1], such as "specificity80"; others raise `InputError`."""
    fraction(sensitivity, "sensitivity", zero=False)
    label = f"Specificity at {100 * sensitivity:g} % sensitivity"
    return RankMetric(
        _key("specificity", sensitivity), label, partial(specificity_at_sensitivity, sensitivity=sensitivity)
    )


def nnt_at(sensitivity: float) -> RankMetric:
    """Lesions flagged for each malignant one found at a sensitivity in (0, 1], such as "nnt80"."""
    fraction(sensitivity, "sensitivity", zero=False)
    label = f"NNT at {100 * sensitivity:g} % sensitivity"
    return RankMetric(_key("nnt", sensitivity), label, partial(nnt_at_sensitivity, sensitivity=sensitivity), False, 1)


def retrieval_at(k: int) -> RetrievalMetric:
    """Share of a patient's malignant lesions among its first k, such as "setop15"."""
    return RetrievalMetric(f"setop{k}", f"SEtop{k}", k)


def _key(kind: str, level: float) -> str:
    return kind + f"{100 * level:g}".replace(".", "")


PAUC = RankMetric("pauc", "pAUC", partial_auc_of)
AUC = RankMetric("auc", "AUC", roc_auc_of)
SETOP15 = retrieval_at(15)
SENSITIVITY883 = sensitivity_at(0.883)
"""At the specificity at which published image classifiers are compared."""

_ALL: tuple[Metric, ...] = (
    PAUC,
    AUC,
    SETOP15,
    RankMetric("average_precision", "Average precision", average_precision),
    nnt_at(0.8),
    nnt_at(0.9),
    specificity_at(0.8),
    specificity_at(0.9),
    sensitivity_at(0.8),
    SENSITIVITY883,
    sensitivity_at(0.9),
)

#: Every named metric, in the order of reports: the one place where a metric's key and label are defined.
METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}


def metric_named(name: str) -> Metric:
    """Look up a metric by name.

    Raises:
        InputError: There is none of that name.
    """
    if name not in METRICS:
        raise InputError(f"no metric {name!r}", where="metric", remedy=f"choose from {', '.join(METRICS)}")
    return METRICS[name]
