"""Metrics of the whole ranking: area under the ROC curve, average precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cv_folds.metrics.counts import RankCounts, rank_counts
from cv_folds.metrics.inputs import Floats


def roc_auc(target: ArrayLike, score: ArrayLike, *, weight: ArrayLike | None = None) -> float:
    r"""Probability that a random malignant lesion scores above a random benign one; a tie counts one half.

    $$ \mathrm{AUC} = \sum_g P_g \left(n_g + N_g / 2\right) $$

    with $P_g$ and $N_g$ the shares of malignant and benign weight at score g and $n_g$ the benign share below it.

    Range: 0 to 1; 0.5 for a constant or random score. It depends only on the order of scores.

    It cannot tell whether the few hardest malignant lesions are found (see `partial_auc`), nor how many lesions
    must be looked at for one malignancy: with 1 malignant lesion in 1,000 an AUC of 0.95 still means many.

    Source: Hanley and McNeil, Radiology 143:29, 1982 (equal to the Mann-Whitney statistic).

    Args:
        target: 1 malignant, 0 benign; shape (lesions,).
        score: Finite; higher is more suspicious; shape (lesions,).
        weight: At least 0; shape (lesions,). None counts each lesion once.

    Raises:
        InputError: Bad arrays (see `checked_lesions`).
    """
    return float(roc_auc_of(rank_counts(target, score, weight)))


def roc_auc_of(counts: RankCounts) -> Floats:
    """`roc_auc` of counted weights; shape () or (R,)."""
    area = (counts.malignant * (counts.below + 0.5 * counts.tied)).sum(axis=0)
    return np.asarray(area / (counts.total * counts.benign))


def average_precision(counts: RankCounts) -> Floats:
    r"""Mean of the precision at the threshold of each malignant lesion (area under the stepped precision curve).

    $$ \mathrm{AP} = \frac{1}{M} \sum_g m_g \frac{T_g}{T_g + F_g} $$

    with $m_g$ the malignant weight at score g, $M$ their total, and $T_g$, $F_g$ the malignant and benign weight at
    score g or above. A tie is flagged as a whole.

    Range: above 0 to 1; a constant score gets the prevalence, so values from cohorts of different prevalence must
    not be compared.

    It cannot tell where the low-scoring malignant lesions are: with rare malignancy the first few dozen ranks
    decide it, whereas `partial_auc` looks at the opposite end.

    Source: Manning, Raghavan and Schütze, Introduction to Information Retrieval, 2008, section 8.4, without
    interpolation; the same as scikit-learn's `average_precision_score`.

    Args:
        counts: Weights, shape (G,) or (G, R).

    Returns:
        Shape () or (R,).
    """
    flagged = counts.found + counts.false_alarms
    precision = np.divide(counts.found, flagged, out=np.zeros_like(flagged), where=counts.malignant > 0)
    return np.asarray((counts.malignant * precision).sum(axis=0) / counts.total)
