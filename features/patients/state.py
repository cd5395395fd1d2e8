"""Cohort constants that features shrink to and scale with: fitted once, stored, never taken from the rows scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from engine.errors import InputError
from features.patients.comparison import Prior

FORMAT = 1
"""Version of the stored form."""
UNKNOWN_PULL = 4.0
"""κ, in lesions, of a scope that the training cohort lacked."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How one number is spread over the training cohort.

    Attributes:
        mean: Mean over all lesions.
        sd: Standard deviation over all lesions.
        within: Pooled standard deviation within patients.
        between: Standard deviation of patients' means, less sampling noise.
        robust: Pooled robust standard deviation (1.4826 MAD) within patients.
        pulls: κ of each scope, in lesions.
    """

    mean: float
    sd: float
    within: float
    between: float
    robust: float
    pulls: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeatureState:
    """Everything that features take from the training cohort; no label enters it.

    Attributes:
        scales: Spread of each number.
        hospitals: Mean of each number in each hospital.
        covariance: Pooled covariance within patients of the standardised numbers of `features.groups.multivariate`.
    """

    scales: Mapping[str, Scale] = field(default_factory=dict)
    hospitals: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    covariance: tuple[tuple[float, ...], ...] = ()

    def prior(self, number: str, scope: str = "") -> Prior:
        """What the cohort says about `number` in `scope`."""
        scale = self.scales.get(number)
        if scale is None:
            return Prior(within=0.0, robust=0.0, offset=1e-3, pull=UNKNOWN_PULL)
        return Prior(scale.within, scale.robust, 0.01 * abs(scale.mean), scale.pulls.get(scope, UNKNOWN_PULL))

    def as_dict(self) -> dict[str, Any]:
        """The state as a JSON-able dictionary."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> FeatureState:
        """The state from `as_dict`, to the last bit.

        Raises:
            InputError: It was stored by another version.
        """
        if stored.get("format") != FORMAT:
            raise InputError(
                f"feature state of format {stored.get('format')}, this version reads {FORMAT}",
                where="features.json",
                remedy="fit the features again",
            )
        return cls(
            {name: Scale(**scale) for name, scale in stored["scales"].items()},
            stored["hospitals"],
            tuple(tuple(row) for row in stored["covariance"]),
        )
