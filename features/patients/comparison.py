"""How the lesions of a block stand, on one number, inside one scope: the patient, or one place of the patient.

A small place says little by itself, so it leans on the patient, and a small patient on the cohort. With n values in
the place, κ = (variance within places) / (variance between the places of a patient), both pooled over the training
cohort, and w the cohort's pooled standard deviation within patients:

    centre of a patient       its own mean (or median); a patient with one lesion deviates by 0
    centre of a place         (n mean_place + κ mean_patient) / (n + κ)            the empirical-Bayes (BLUP) centre
    variance of a patient     v = (SS + 4 w²) / (n - 1 + 4)
    variance of a place       (SS + 4 v_patient) / (n - 1 + 4)

The weight 4 is the degrees of freedom that the larger group counts for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.arithmetic.moments import Moments, moments
from features.arithmetic.order import Ordered, block_order, median, mid_rank_share, order_within, robust_sd
from features.arithmetic.segments import Floats, Segments

PRIOR = 4.0
"""Degrees of freedom that the larger group's variance counts for."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What the cohort says about one number.

    Attributes:
        within: Pooled standard deviation within patients; 0 shrinks nothing.
        robust: Pooled robust standard deviation within patients.
        offset: What a ratio adds to numerator and denominator, so that a median of 0 has a ratio.
        pull: κ of the scope, in lesions; unused for the patient scope.
    """

    within: float
    robust: float
    offset: float
    pull: float = 0.0


@dataclass(eq=False)
class Comparison:
    """One number within one scope.

    Attributes:
        segments: The scope.
        values: (n,) the number; NaN is missing.
        prior: What the cohort says.
        patient: The same number within the patient; None if this is the patient scope.
    """

    segments: Segments
    values: Floats
    prior: Prior
    patient: Comparison | None = None

    @cached_property
    def moments(self) -> Moments:
        """Count, mean, sum of squares and deviations."""
        return moments(self.segments, self.values)

    @cached_property
    def order(self) -> NDArray[np.int32]:
        """Order of the whole block, shared with the patient."""
        return block_order(self.values) if self.patient is None else self.patient.order

    @cached_property
    def ordered(self) -> Ordered:
        """Sorted within each segment."""
        return order_within(self.segments, self.values, self.order, self.moments.count)

    @cached_property
    def rank(self) -> Floats:
        """Mid-rank share (n,) within the scope, not shrunk."""
        return mid_rank_share(self.ordered)

    @cached_property
    def median(self) -> Floats:
        """Median (g,), not shrunk."""
        return median(self.ordered)

    @cached_property
    def variance(self) -> Floats:
        """Shrunk variance (g,)."""
        return self._shrunk(self.moments.squares, self.moments.count - 1, self.prior.within, "variance")

    @cached_property
    def robust_variance(self) -> Floats:
        """Shrunk square (g,) of the robust standard deviation."""
        degrees = np.maximum(self.moments.count - 1, 0.0)
        own = np.nan_to_num(robust_sd(self.ordered, self.median)) ** 2
        return self._shrunk(own * degrees, degrees, self.prior.robust, "robust_variance")

    def _shrunk(self, squares: Floats, degrees: Floats, cohort: float, name: str) -> Floats:
        if self.patient is not None:
            larger: Floats = getattr(self.patient, name)[self.owner]
            return (squares + PRIOR * larger) / (np.maximum(degrees, 0.0) + PRIOR)
        weight = PRIOR if cohort > 0 else 0.0
        return (squares + weight * cohort**2) / np.maximum(degrees + weight, 1.0)

    @cached_property
    def squares_without(self) -> Floats:
        """Sum (n,) of squared deviations of the segment's other lesions."""
        squares = self.segments.spread(self.moments.squares)
        squares -= self.moments.deviation**2 * self.without
        return np.maximum(squares, 0.0, out=squares)

    @cached_property
    def without(self) -> Floats:
        """Factor (n,) that turns a deviation into that from the others: n / (n - 1), 1 if alone."""
        if self.moments.complete:
            return self.segments.leverage
        count = self.moments.count
        return self.segments.spread(count / np.maximum(count - 1, 1.0))

    @cached_property
    def others(self) -> tuple[Floats, Floats]:
        """Deviation (n,) from the mean of the patient's other lesions, and their shrunk variance (n,)."""
        weight = PRIOR if self.prior.within > 0 else 0.0
        degrees = np.maximum(self.moments.count_spread(self.segments) - 2 + weight, 1.0)
        variance = (self.squares_without + weight * self.prior.within**2) / degrees
        return self.moments.deviation * self.without, variance

    @cached_property
    def owner(self) -> NDArray[np.intp]:
        """The patient (g,) of each segment."""
        patient = self.patient or self
        return patient.segments.ids[self.segments.first]

    @cached_property
    def weights(self) -> tuple[Floats, Floats]:
        """Weights (g,) of the place and of the patient in the place's centre; they add up to 1."""
        total = self.moments.count + self.prior.pull
        return self.moments.count / total, self.prior.pull / total
