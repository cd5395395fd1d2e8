"""One score on one set of lesions, folded into a matrix that turns drawn weights into metrics.

The exact weighted metrics need, for each malignant score, the benign weight below it and tied with it, and the
malignant weight at it. All of these are sums over slots (see `cv_folds.metrics.counts`), and a slot's weight in a
replicate is the product of one row of a sparse matrix (lesions by slot and patient) with the patients' draws. The
matrix has at most as many entries as there are lesions, and usually far fewer, since the many benign lesions below
every malignant score share one slot. Top-k retrieval adds two rows: each patient's share found, and who has
a malignant lesion. Sparse products run in one thread and in one order, and those of whole numbers are exact, so
nothing can change a bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csc_array, csr_array, vstack

from cv_folds.bootstrap.units import Units
from cv_folds.metrics.counts import RankCounts, slots_of
from cv_folds.metrics.inputs import Flags, Floats, Ints
from cv_folds.metrics.registry import Metric, RankMetric
from cv_folds.metrics.retrieval import expected_retrieval

#: Units left out in one go.
LEFT_OUT_CHUNK = 1024


@dataclass(frozen=True)
class ScoredView:
    """A score on the rows of a view, ready to be evaluated for any draw of the units.

    Attributes:
        metrics: What to evaluate.
        groups: G, the number of distinct malignant scores.
        by_unit: Lesions by slot and unit, then for each shortlist length the units' shares found and their count;
            shape (3G + 1 + 2 lengths, units).
        shortlists: The lengths, in the order of the rows.
    """

    metrics: tuple[Metric, ...]
    groups: int
    by_unit: csr_array
    shortlists: tuple[int, ...]

    def drawn(self, weights: Floats) -> Floats:
        """Metrics if unit u counts `weights[u, r]` times; (units, R) in, (metrics, R) out, NaN if undefined."""
        return self._evaluate(self.by_unit @ weights)

    def left_out(self, multiplicity: Ints) -> Floats:
        """Metrics without one patient of each unit in turn; (units,) in, (metrics, units) out, NaN if undefined."""
        every = (self.by_unit @ multiplicity.astype(np.float64))[:, np.newaxis]
        columns = csc_array(self.by_unit)
        starts = range(0, multiplicity.size, LEFT_OUT_CHUNK)
        without = [self._evaluate(every - columns[:, at : at + LEFT_OUT_CHUNK].toarray()) for at in starts]
        return np.concatenate(without, axis=1)

    def _evaluate(self, totals: Floats) -> Floats:
        slots = 3 * self.groups + 1
        counts = RankCounts.from_slots(totals[:slots])
        defined = (counts.total > 0) & (counts.benign > 0)
        with np.errstate(divide="ignore", invalid="ignore"):  # undefined replicates become NaN below
            values = [
                metric.of(counts) if isinstance(metric, RankMetric) else self._retrieved(metric.k, totals[slots:])
                for metric in self.metrics
            ]
        return np.where(defined, np.stack(values), np.nan)

    def _retrieved(self, k: int, totals: Floats) -> Floats:
        row = 2 * self.shortlists.index(k)
        return np.asarray(totals[row] / totals[row + 1])


def scored_view(
    metrics: Sequence[Metric], units: Units, slots: tuple[Ints, int], malignant: Flags, score: Floats
) -> ScoredView:
    """Fold a score on a view into its matrix.

    Args:
        metrics: What to evaluate.
        units: What is drawn.
        slots: As `view_slots` gives them; rows of slot -1 are not counted.
        malignant: For all rows.
        score: For all rows.
    """
    slot, groups = slots[0][units.rows], slots[1]
    seen = slot >= 0
    rows, code = units.rows[seen], units.code[seen]
    blocks = [_sparse(np.ones(rows.size), slot[seen], code, (3 * groups + 1, units.size))]
    shortlists = tuple(dict.fromkeys(metric.k for metric in metrics if not isinstance(metric, RankMetric)))
    for k in shortlists:
        carriers, share = expected_retrieval(malignant[rows], score[rows], code, k=k)
        both = np.concatenate([share, np.ones(share.size)])
        which = np.repeat([0, 1], share.size)
        blocks.append(_sparse(both, which, np.tile(carriers, 2), (2, units.size)))
    return ScoredView(tuple(metrics), groups, csr_array(vstack(blocks, format="csr")), shortlists)


def view_slots(inside: Flags, malignant: Flags, score: Floats) -> tuple[Ints, int]:
    """Slot of every row (-1 outside the view), and the number of distinct malignant scores in the view.

    Args:
        inside: Which rows the view holds, a malignant one among them; shape (rows,).
        malignant: Shape (rows,).
        score: Shape (rows,).
    """
    slots = np.full(score.size, -1, dtype=np.int64)
    slots[inside], groups = slots_of(malignant[inside], score[inside])
    return slots, groups


def _sparse(values: Floats, row: Ints, column: Ints, shape: tuple[int, int]) -> csr_array:
    """Entries in the same place are added up."""
    return csr_array(coo_array((values, (row, column)), shape=shape))
