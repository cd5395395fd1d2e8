"""Figures often computed in place of pAUC above 80 % sensitivity, so that a quoted figure can be recognised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from cv_folds.metrics.partial_auc import partial_auc
from cv_folds.metrics.ranking import roc_auc
from engine.errors import InputError

Target = npt.NDArray[np.integer]
Scores = npt.NDArray[np.float64]
_EDGE = 0.2
"""Share of malignant lesions that may be missed, or of benign ones flagged, depending on the metric."""


@dataclass(frozen=True)
class Variant:
    """One way to compute a partial area.

    Attributes:
        name: What it is called here.
        meaning: What it measures, and what a constant and a perfect score get.
        compute: From target, score and fold (None if unknown), each of shape (lesions,); None if it does not
            apply.
    """

    name: str
    meaning: str
    compute: Callable[[Target, Scores, npt.NDArray[np.integer] | None], float | None]


def variants(target: Target, score: Scores, fold: npt.NDArray[np.integer] | None = None) -> dict[str, float]:
    """What each variant gives, by name, in the order of `VARIANTS`; those that do not apply are left out.

    Args:
        target: 1 malignant, 0 benign; shape (lesions,).
        score: Finite; higher is more suspicious; shape (lesions,).
        fold: Whole numbers, shape (lesions,); None if unknown.
    """
    found = {variant.name: variant.compute(target, score, fold) for variant in VARIANTS}
    return {name: value for name, value in found.items() if value is not None}


def quoted(claimed: str) -> Decimal:
    """A figure as it was written, such as "0.1892", with its digits.

    Raises:
        InputError: It is not a finite number.
    """
    try:
        figure = Decimal(claimed)
    except InvalidOperation:
        figure = Decimal("nan")
    if not figure.is_finite():
        raise InputError(
            f"{claimed!r} is no number", where="--claimed", remedy="write the figure as it was quoted, such as 0.1892"
        )
    return figure


def matching(found: dict[str, float], claimed: Decimal) -> list[str]:
    """Names of the variants that give a quoted figure, to all its digits.

    Args:
        found: As `variants` gives it.
        claimed: As `quoted` gives it.
    """
    unit = 10.0 ** int(claimed.as_tuple().exponent)
    return [name for name, value in found.items() if abs(value - float(claimed)) <= 0.5001 * unit]


def _low_false_positives(target: Target, score: Scores) -> float:
    """Area under the ROC curve up to a false positive rate of 20 %, 0 to 0.2: the curve's other end."""
    return partial_auc(1 - target, -score, min_sensitivity=1 - _EDGE)


def _standardised(area: float) -> float:
    """McClish's correction (Medical Decision Making 9:190, 1989): a constant score gets 0.5, a perfect one 1."""
    least = _EDGE**2 / 2
    return (1 + (area - least) / (_EDGE - least)) / 2


def _ranked_within_folds(score: Scores, fold: npt.NDArray[np.integer]) -> Scores:
    ranked = np.empty(len(score))
    for one in np.unique(fold):
        here = fold == one
        ranked[here] = (rankdata(score[here]) - 0.5) / here.sum()
    return ranked


def _mean_over_folds(target: Target, score: Scores, fold: npt.NDArray[np.integer]) -> float | None:
    own = [(target[fold == one], score[fold == one]) for one in np.unique(fold)]
    if any(len(np.unique(labels)) < 2 for labels, _ in own):
        return None
    return float(np.mean([partial_auc(labels, values) for labels, values in own]))


def _single(score: Scores) -> Scores:
    return score.astype(np.float32).astype(np.float64)


VARIANTS: tuple[Variant, ...] = (
    Variant(
        "pAUC above 80 % sensitivity",
        "the metric of ISIC 2024: a constant score has 0.02, a perfect one 0.2",
        lambda target, score, _: partial_auc(target, score),
    ),
    Variant(
        "as a share of 0.2",
        "the same divided by its maximum: 0.1 and 1",
        lambda target, score, _: partial_auc(target, score) / _EDGE,
    ),
    Variant(
        "standardised after McClish",
        "scikit-learn's max_fpr on turned labels and scores, its standardisation not undone: 0.5 and 1",
        lambda target, score, _: _standardised(partial_auc(target, score)),
    ),
    Variant(
        "false positive rate up to 20 %, standardised",
        "scikit-learn's roc_auc_score(max_fpr=0.2) as it stands, which looks at the curve's other end: 0.5 and 1",
        lambda target, score, _: _standardised(_low_false_positives(target, score)),
    ),
    Variant(
        "false positive rate up to 20 %",
        "the same, its standardisation undone: 0.02 and 0.2",
        lambda target, score, _: _low_false_positives(target, score),
    ),
    Variant(
        "pAUC above 88 % sensitivity",
        "a sensitivity of 88 % in place of 80 %: 0.0072 and 0.12",
        lambda target, score, _: partial_auc(target, score, min_sensitivity=0.88),
    ),
    Variant(
        "AUC",
        "the whole area: 0.5 and 1",
        lambda target, score, _: roc_auc(target, score),
    ),
    Variant(
        "of scores in single precision",
        "scores stored as float32, where the highest may tie: 0.02 and 0.2",
        lambda target, score, _: partial_auc(target, _single(score)),
    ),
    Variant(
        "of ranks within folds",
        "scores replaced by their rank in their fold, then pooled: 0.02, and 0.2 where folds are alike",
        lambda target, score, fold: None if fold is None else partial_auc(target, _ranked_within_folds(score, fold)),
    ),
    Variant(
        "mean over folds",
        "one figure a fold, averaged: 0.02 and 0.2",
        lambda target, score, fold: None if fold is None else _mean_over_folds(target, score, fold),
    ),
    Variant(
        "of turned scores",
        "the chance of being benign taken for the score: 0.02 and 0.2",
        lambda target, score, _: partial_auc(target, -score),
    ),
)
