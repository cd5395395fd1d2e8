"""How far probabilities can be believed: Brier score, calibration error and reliability, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy import sparse

from cv_folds.bootstrap.intervals import Interval
from cv_folds.bootstrap.units import Units
from cv_folds.metrics.inputs import Floats, Ints, checked_lesions, patient_codes
from engine.errors import InputError


@dataclass(frozen=True)
class Reliability:
    r"""Measures of one column of probabilities.

    Attributes:
        brier: Mean squared distance of probability and outcome, 0 to 1, lower is better (Brier, Monthly Weather Review
            78:1, 1950). With rare malignancy every sensible forecast is close to r (1 - r), r being the prevalence,
            0.00098 in SLICE-3D: compare with that value, not with 0.
        brier_skill: 1 - brier / (r (1 - r)): 0 is as good as predicting r for every lesion.
        calibration_error: Expected calibration error $\sum_b (n_b / n) |\bar q_b - \bar y_b|$ over bins of equal mass,
            with $\bar q_b$ and $\bar y_b$ the mean probability and the share malignant of a bin; 0 to 1, lower is
            better. It cannot tell whether the score ranks anything, and chance alone makes it positive, the more so
            the more bins and the fewer malignant lesions (Naeini, Cooper and Hauskrecht, AAAI 2015; equal-mass bins as
            Nixon et al., CVPR workshops 2019).
        expected_over_observed: Sum of the probabilities over the number of malignant lesions; 1 is right on average.
        bins: For each bin its lesions, mean probability, and the share malignant with its interval.
    """

    brier: Interval
    brier_skill: Interval
    calibration_error: Interval
    expected_over_observed: Interval
    bins: tuple[tuple[int, float, Interval], ...]

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "brier": self.brier.as_dict(),
            "brier_skill": self.brier_skill.as_dict(),
            "calibration_error": self.calibration_error.as_dict(),
            "expected_over_observed": self.expected_over_observed.as_dict(),
            "bins": [
                {"lesions": lesions, "mean_risk": mean, "observed": observed.as_dict()}
                for lesions, mean, observed in self.bins
            ],
        }


def reliabilities(
    target: ArrayLike,
    probabilities: Mapping[str, ArrayLike],
    *,
    patient: ArrayLike | pl.Series | None = None,
    bins: int = 15,
    replicates: int = 2_000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Reliability]:
    """Measure columns of probabilities, with percentile intervals of the patient bootstrap on the same draws.

    All measures are sums over lesions, or functions of such sums, so a replicate is one row of a matrix product of the
    patients' sums and how often each is drawn. Bins are made once, on the lesions as given.

    Args:
        target: 1 malignant, 0 benign; shape (lesions,); both classes present.
        probabilities: Malignancy risks in [0, 1], by name; each of shape (lesions,); at least one.
        patient: Patient ids; None draws lesions.
        bins: At most this many, of equal mass; see `equal_mass_bins`.
        replicates: Bootstrap replicates; those without both classes are left out.
        seed: Seed of the draws.
        level: Nominal coverage.

    Raises:
        InputError: Bad arrays, or a probability outside [0, 1].
    """
    lesions = np.size(target)
    code = np.arange(lesions) if patient is None else patient_codes(patient, lesions)
    columns = {name: _Column.of(target, probability, code, bins) for name, probability in probabilities.items()}
    each = np.arange(int(code.max()) + 1)
    drawn: dict[str, list[Floats]] = {name: [] for name in columns}
    for weights in Units(each, each, np.ones_like(each)).replicates(replicates, seed):
        for name, column in columns.items():
            drawn[name].append(column.measures(weights))
    return {name: column.summary(np.concatenate(drawn[name]), level) for name, column in columns.items()}


def equal_mass_bins(probability: Floats, bins: int) -> Ints:
    """The bin of each lesion, from 0; shape (lesions,).

    Bins hold equally many lesions rather than span equal widths: with 1 malignant lesion in 1,000, nearly all would
    fall into the first of those. A lesion's bin follows from the middle of the range that its probability occupies, so
    equal probabilities stay in one bin, and a bin may stay empty.

    Args:
        probability: Shape (lesions,).
        bins: At least 1.
    """
    tie, mass = np.unique(probability, return_inverse=True, return_counts=True)[1:]
    middle = (np.cumsum(mass) - mass / 2) / probability.size
    return np.asarray(np.minimum((middle * bins).astype(np.int64), bins - 1)[tie], dtype=np.int64)


@dataclass(frozen=True)
class _Column:
    """One column of probabilities, cut into bins.

    Attributes:
        lesions: (bins,) lesions of each bin.
        mean: (bins,) their mean probability.
        sums: (1 + 3 bins, patients) squared error, then lesions, malignant lesions and probability by bin. Sparse: a
            patient's lesions fall into few bins.
    """

    lesions: Ints
    mean: Floats
    sums: sparse.csr_array

    @classmethod
    def of(cls, target: ArrayLike, probability: ArrayLike, code: Ints, bins: int) -> _Column:
        lesions = checked_lesions(target, probability)
        risk, malignant = lesions.score, lesions.malignant.astype(np.float64)
        if risk.min() < 0 or risk.max() > 1:
            raise InputError(
                "a probability lies outside 0 to 1", where="probability", remedy="calibrate the score first"
            )
        index = equal_mass_bins(risk, bins)
        index = np.unique(index, return_inverse=True)[1]
        used = int(index.max()) + 1
        parts = [(0 * index, (risk - malignant) ** 2)]
        parts += [(1 + place * used + index, part) for place, part in enumerate((np.ones_like(risk), malignant, risk))]
        values, rows = np.concatenate([part for _, part in parts]), np.concatenate([row for row, _ in parts])
        shape = (1 + 3 * used, int(code.max()) + 1)
        sums = sparse.coo_array((values, (rows, np.tile(code, len(parts)))), shape=shape).tocsr()
        counts = np.bincount(index, minlength=used)
        return cls(counts, np.bincount(index, risk) / counts, sums)

    def measures(self, weights: Floats) -> Floats:
        """Brier, skill, calibration error, expected over observed, share malignant by bin; (replicates, 4 + bins).

        Args:
            weights: (patients, replicates) how often each patient is drawn.
        """
        bins = self.lesions.size
        error, lesions, malignant, expected = np.split((self.sums @ weights).T, [1, 1 + bins, 1 + 2 * bins], axis=1)
        total, cases = lesions.sum(axis=1), malignant.sum(axis=1)
        brier, prevalence = error[:, 0] / total, cases / total
        with np.errstate(divide="ignore", invalid="ignore"):
            skill = 1 - brier / (prevalence * (1 - prevalence))
            ratio = np.where(cases > 0, expected.sum(axis=1) / cases, math.nan)
            share = np.where(lesions > 0, malignant / lesions, math.nan)
        skill[~np.isfinite(skill)] = math.nan
        gap = np.abs(malignant - expected).sum(axis=1) / total
        return np.column_stack([brier, skill, gap, ratio, share])

    def summary(self, drawn: Floats, level: float) -> Reliability:
        """The measures of all lesions, with intervals from the replicates."""
        whole = self.measures(np.ones((self.sums.shape[1], 1)))[0]

        def cell(column: int) -> Interval:
            return Interval.of_draws(float(whole[column]), drawn[:, column], level=level)

        each = enumerate(zip(self.lesions.tolist(), self.mean.tolist(), strict=True))
        parts = tuple((lesions, mean, cell(4 + place)) for place, (lesions, mean) in each)
        return Reliability(cell(0), cell(1), cell(2), cell(3), parts)
