"""The only thing a ranking metric needs to know: the weight around each malignant score.

The order of benign lesions between two neighbouring malignant scores does not matter. So every row falls
into one of 3G + 1 *slots*, G being the number of distinct malignant scores: G + 1 gaps that hold benign lesions
only, G ties of benign lesions with a malignant score, and G groups of malignant lesions. Weights are added up by
slot, once for a single evaluation, as one matrix product for thousands of bootstrap replicates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from cv_folds.metrics.inputs import Flags, Floats, Ints, checked_lesions


@dataclass(frozen=True)
class RankCounts:
    """Weights at each distinct malignant score, ascending: shape (G,), or (G, R) for R replicates.

    Attributes:
        malignant: Malignant weight at the score.
        below: Benign weight at strictly lower scores.
        tied: Benign weight at exactly the score.
        benign: Total benign weight; shape () or (R,).
    """

    malignant: Floats
    below: Floats
    tied: Floats
    benign: Floats

    @classmethod
    def from_slots(cls, totals: Floats) -> RankCounts:
        """Read the weights off totals by slot, shape (3G + 1,) or (3G + 1, R), numbered as `slots_of` does."""
        groups = (totals.shape[0] - 1) // 3
        benign = totals[: 2 * groups + 1]
        reached = np.cumsum(benign, axis=0)
        return cls(
            malignant=totals[2 * groups + 1 :],
            below=reached[0 : 2 * groups : 2],
            tied=benign[1 : 2 * groups : 2],
            benign=reached[2 * groups],
        )

    @cached_property
    def total(self) -> Floats:
        """Total malignant weight; shape () or (R,)."""
        return np.asarray(self.malignant.sum(axis=0))

    @cached_property
    def missed(self) -> Floats:
        """Malignant weight at strictly lower scores: what a threshold at this score misses."""
        return np.cumsum(self.malignant, axis=0) - self.malignant

    @cached_property
    def found(self) -> Floats:
        """Malignant weight at this score or above: what a threshold at this score finds."""
        return self.total - self.missed

    @cached_property
    def false_alarms(self) -> Floats:
        """Benign weight at this score or above: what a threshold at this score flags in vain."""
        return self.benign - self.below


def slots_of(malignant: Flags, score: Floats) -> tuple[Ints, int]:
    """Number the slot of each row.

    Benign rows between malignant scores g - 1 and g get 2g, those tied with malignant score g get 2g + 1, and
    malignant rows at score g get 2G + 1 + g.

    Args:
        malignant: Shape (rows,), at least one True.
        score: Shape (rows,), finite.

    Returns:
        The slot of each row, and G, the number of distinct malignant scores.
    """
    groups = np.unique(score[malignant])
    lower = np.searchsorted(groups, score)
    tied = groups[np.minimum(lower, groups.size - 1)] == score
    slots = np.where(malignant, 2 * groups.size + 1 + lower, 2 * lower + tied)
    return slots.astype(np.int64, copy=False), int(groups.size)


def rank_counts(target: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> RankCounts:
    """Check a target, a score and weights and count what ranking metrics need, in O(n log G).

    Raises:
        InputError: As `checked_lesions` says.
    """
    lesions = checked_lesions(target, score, weight)
    slots, groups = slots_of(lesions.malignant, lesions.score)
    totals = np.bincount(slots, lesions.weight, minlength=3 * groups + 1)
    return RankCounts.from_slots(totals.astype(np.float64, copy=False))
