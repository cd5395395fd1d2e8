"""From replicates to an interval.

The default method: in simulated cohorts of 100 to 1,042 patients with patient effects (the bench
`test_coverage` repeats this) BCa misses the true value about as often on either side, but the percentile method lies
too high, since a metric near its ceiling has a skewed distribution. Differences of two scores are not skewed, and there
the acceleration is mostly noise: the percentile method covers closer to the nominal level. So metrics take BCa and
differences the percentile method. With fewer than about 50 patients with a malignant lesion, either is too narrow.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
from scipy.special import ndtr, ndtri

from cv_folds.metrics.inputs import Floats, Ints

Method = Literal["percentile", "bca"]

#: Values that differ by less are equal: the estimate and a replicate may add the same numbers in another order.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Interval:
    """An estimate and where it would fall if patients were drawn again.

    Attributes:
        estimate: Value on the given lesions.
        low: Lower end.
        high: Upper end.
        standard_error: Standard deviation of the replicates.
        level: Share of intervals made this way that hold the truth, nominally.
        method: "percentile" or "bca"; "percentile" also if BCa was requested but is undefined.
        replicates: How many replicates the interval rests on; 0 if there is no interval (its ends are NaN).
        redrawn: Draws repeated because they had no malignant or no benign lesion.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    level: float
    method: Method = "percentile"
    replicates: int = 0
    redrawn: int = 0
    usual_method: ClassVar[Method] = "bca"

    @classmethod
    def of(cls, sample: BootstrapSample, *, level: float = 0.95, method: Method | None = None) -> Self:
        """The interval of a sample.

        Args:
            sample: Estimate, replicates and leave-one-out values.
            level: Nominal coverage, in (0, 1).
            method: See `percentile_ends` and `bca_ends`; None takes the default, see the module.
        """
        method = method or cls.usual_method
        alike = sample.multiplicity.size and sample.multiplicity.sum() < 2  # draws of one patient
        if not sample.values.size or alike:
            return cls(sample.estimate, math.nan, math.nan, math.nan, level, method, 0, sample.redrawn)
        ends = bca_ends(sample, level) if method == "bca" else None
        used: Method = "bca" if ends else "percentile"
        low, high = ends or percentile_ends(sample.values, level)
        error = float(np.std(sample.values, ddof=1))
        return cls(sample.estimate, low, high, error, level, used, int(sample.values.size), sample.redrawn)

    @classmethod
    def of_draws(cls, estimate: float, values: Floats, *, level: float = 0.95) -> Self:
        """The percentile interval of an estimate's replicates, shape (R,); undefined ones are left out and counted."""
        kept = values[np.isfinite(values)]
        sample = BootstrapSample(estimate, kept, np.empty(0), np.empty(0, np.int64), values.size - kept.size)
        return cls.of(sample, level=level, method="percentile")

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON; None stands for NaN."""
        return {key: _json(value) for key, value in asdict(self).items()}


@dataclass(frozen=True)
class Difference(Interval):
    """First score minus second, on the same draws."""

    usual_method: ClassVar[Method] = "percentile"

    @property
    def distinguishable(self) -> bool:
        """Whether the interval leaves 0 out. If not, the data cannot tell the two scores apart."""
        return self.low > 0 or self.high < 0

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON, with `distinguishable`; None stands for NaN."""
        return {**super().as_dict(), "distinguishable": self.distinguishable}


@dataclass(frozen=True)
class BootstrapSample:
    """Everything an interval is made from.

    Attributes:
        estimate: Value on the given lesions.
        values: Replicates; shape (R,), or (0,) if there are too few.
        left_out: The metric without one member of each unit; shape (units,); NaN where undefined.
        multiplicity: Members of each unit; shape (units,).
        redrawn: Draws that were repeated.
    """

    estimate: float
    values: Floats
    left_out: Floats
    multiplicity: Ints
    redrawn: int

    def minus(self, other: BootstrapSample) -> BootstrapSample:
        """The paired difference, replicate by replicate."""
        return BootstrapSample(
            self.estimate - other.estimate,
            self.values - other.values,
            self.left_out - other.left_out,
            self.multiplicity,
            self.redrawn,
        )


def percentile_ends(values: Floats, level: float) -> tuple[float, float]:
    """The central share `level` of the replicates.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bca_ends(sample: BootstrapSample, level: float) -> tuple[float, float] | None:
    r"""Bias-corrected and accelerated ends, or None if they are undefined.

    The quantiles taken are $\Phi(z_0 + (z_0 + z) / (1 - a (z_0 + z)))$ for z the normal quantiles of the two tails,
    with $z_0$ the normal quantile of the share of replicates below the estimate (ties count half), and the acceleration

    $$ a = \frac{\sum_i d_i^3}{6 (\sum_i d_i^2)^{3/2}}, \qquad d_i = \bar\theta - \theta_{(i)} $$

    over the values $\theta_{(i)}$ without patient i. Undefined if all replicates lie on one side of the estimate, or
    if leaving one patient out leaves no malignant lesion.

    Source: Efron, JASA 82:171, 1987; Efron and Tibshirani, 1993, chapter 14.
    """
    distance = sample.values - sample.estimate
    below = np.mean(distance < -ROUNDING) + np.mean(np.abs(distance) <= ROUNDING) / 2
    if not 0 < below < 1 or not np.isfinite(sample.left_out).all():
        return None
    bias, acceleration = ndtri(below), _acceleration(sample)
    shifted = bias + ndtri([(1 - level) / 2, (1 + level) / 2])
    stretch = 1 - acceleration * shifted
    if (stretch <= 0).any():
        return None
    low, high = np.quantile(sample.values, ndtr(bias + shifted / stretch))
    return float(low), float(high)


def _acceleration(sample: BootstrapSample) -> float:
    centre = np.average(sample.left_out, weights=sample.multiplicity)
    distance = centre - sample.left_out
    spread = float((sample.multiplicity * distance**2).sum())
    return float((sample.multiplicity * distance**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0


def _json(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return None if isinstance(value, float) and math.isnan(value) else value
