"""The challenge's metric: the area under the ROC curve above a given sensitivity."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cv_folds.metrics.counts import RankCounts, rank_counts
from cv_folds.metrics.inputs import Floats, fraction


def partial_auc(
    target: ArrayLike, score: ArrayLike, *, min_sensitivity: float = 0.8, weight: ArrayLike | None = None
) -> float:
    r"""Area between the ROC curve and the line sensitivity = `min_sensitivity` (pAUC), exact under ties.

    Group lesions by distinct score g, ascending. With the share of malignant weight $P_g$ and of benign weight
    $N_g$ in the group, $p_g$ and $n_g$ the shares strictly below it, $m$ = 1 - min_sensitivity the share of malignant
    weight that may be missed, and $u_g = \mathrm{clip}((m - p_g) / P_g, 0, 1)$ the part of the group that lies in it:

    $$ \mathrm{pAUC} = \sum_g P_g u_g \left(n_g + u_g N_g / 2\right) $$

    Only groups that hold a malignant lesion contribute. Inside a tie the ROC curve is a straight line, which is
    where the second $u_g$ comes from: counting ties as one half is wrong if a tie straddles the line.

    Range: 0 (every malignant lesion in the lowest scores is below all benign ones) to m, 0.2 by default; a
    constant score has m² / 2 = 0.02. It depends only on the order of scores.

    It cannot tell how the remaining malignant lesions are ordered: those that are easily found do not count. It
    says nothing about calibration, and compares lesions of different patients with each other.

    Source: official scorer of the ISIC 2024 challenge (SLICE-3D), which turns labels and scores around, takes
    scikit-learn's partial AUC up to a false positive rate of m and undoes its standardisation; equal to 1e-12.

    Args:
        target: 1 malignant, 0 benign; shape (lesions,).
        score: Finite; higher is more suspicious; shape (lesions,).
        min_sensitivity: Lower edge of the area, in [0, 1).
        weight: At least 0; shape (lesions,). None counts each lesion once.

    Raises:
        InputError: Bad arrays (see `checked_lesions`) or an edge outside [0, 1).
    """
    fraction(min_sensitivity, "min_sensitivity", one=False)
    return float(partial_auc_of(rank_counts(target, score, weight), min_sensitivity=min_sensitivity))


def partial_auc_of(counts: RankCounts, *, min_sensitivity: float = 0.8) -> Floats:
    """`partial_auc` of counted weights; shape () or (R,)."""
    may_miss = round(1 - min_sensitivity, 12)  # 1 - 0.8 is 0.19999999999999996
    used = np.clip(may_miss * counts.total - counts.missed, 0, counts.malignant)
    in_tie = np.divide(used, counts.malignant, out=np.zeros_like(used), where=counts.malignant > 0)
    area = (used * (counts.below + 0.5 * in_tie * counts.tied)).sum(axis=0)
    return np.asarray(area / (counts.total * counts.benign))
