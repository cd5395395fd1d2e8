"""What a fixed threshold does: the confusion table and the five shares that are read off it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike

from cv_folds.metrics.inputs import checked_lesions
from engine.errors import InputError


@dataclass(frozen=True)
class Confusion:
    """Weights of the four outcomes when every lesion that scores at least `threshold` is flagged.

    A share whose denominator is 0 is NaN (None in `as_dict`): a precision where nothing is flagged, say.

    Source: Altman and Bland, BMJ 308:1552 and 309:102, 1994.

    Attributes:
        threshold: Lesions that score at least this are flagged.
        true_positive: Malignant and flagged.
        false_positive: Benign and flagged.
        false_negative: Malignant and not flagged.
        true_negative: Benign and not flagged.
    """

    threshold: float
    true_positive: float
    false_positive: float
    false_negative: float
    true_negative: float

    @property
    def accuracy(self) -> float:
        """(TP + TN) / all; 0 to 1. With rare malignancy a test that flags nothing is close to 1."""
        everything = self.true_positive + self.false_positive + self.false_negative + self.true_negative
        return _share(self.true_positive + self.true_negative, everything)

    @property
    def precision(self) -> float:
        """TP / (TP + FP), the share of flagged lesions that are malignant; 0 to 1. It depends on the prevalence."""
        return _share(self.true_positive, self.true_positive + self.false_positive)

    @property
    def sensitivity(self) -> float:
        """TP / (TP + FN), the share of malignant lesions that are flagged; 0 to 1. Silent on false alarms."""
        return _share(self.true_positive, self.true_positive + self.false_negative)

    @property
    def specificity(self) -> float:
        """TN / (TN + FP), the share of benign lesions left alone; 0 to 1. Silent on what is missed."""
        return _share(self.true_negative, self.true_negative + self.false_positive)

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN), harmonic mean of precision and sensitivity; 0 to 1. Silent on true negatives."""
        return _share(2 * self.true_positive, 2 * self.true_positive + self.false_positive + self.false_negative)

    def as_dict(self) -> dict[str, float | None]:
        """The table and its shares, ready for JSON."""
        names = (
            *("threshold", "true_positive", "false_positive", "false_negative", "true_negative"),
            *("accuracy", "precision", "sensitivity", "specificity", "f1"),
        )
        values = {name: float(getattr(self, name)) for name in names}
        return {name: None if math.isnan(value) else value for name, value in values.items()}


def confusion(target: ArrayLike, score: ArrayLike, *, threshold: float, weight: ArrayLike | None = None) -> Confusion:
    """Count the four outcomes at a threshold.

    It can not tell what another threshold would do; choose the threshold on other lesions than those counted here.

    Args:
        target: 1 malignant, 0 benign; shape (lesions,). One class alone is allowed.
        score: Finite; shape (lesions,).
        threshold: Lesions that score at least this are flagged.
        weight: At least 0; shape (lesions,). None counts each lesion once.

    Raises:
        InputError: Bad arrays (see `checked_lesions`) or a threshold that is NaN.
    """
    if math.isnan(threshold):
        raise InputError("NaN is no threshold", where="threshold", remedy="give a number")
    lesions = checked_lesions(target, score, weight, both_classes=False)
    flagged = lesions.score >= threshold
    return Confusion(
        threshold=float(threshold),
        true_positive=float(lesions.weight[flagged & lesions.malignant].sum()),
        false_positive=float(lesions.weight[flagged & ~lesions.malignant].sum()),
        false_negative=float(lesions.weight[~flagged & lesions.malignant].sum()),
        true_negative=float(lesions.weight[~flagged & ~lesions.malignant].sum()),
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan
