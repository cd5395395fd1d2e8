"""How far probabilities can be believed: Brier score, calibration error and reliability, with intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from cv_folds.bootstrap.intervals import BootstrapSample, Interval, interval
from cv_folds.bootstrap.units import Units
from cv_folds.metrics.inputs import Floats, Ints, checked_lesions, patient_codes
from cv_folds.metrics.probability import equal_mass_bins
from engine.errors import InputError


@dataclass(frozen=True)
class Reliability:
    """Measures of one column of probabilities.

    Attributes:
        brier: Mean squared distance of probability and outcome; see `brier_score`.
        brier_skill: 1 - brier / (r (1 - r)), with r the prevalence: 0 is as good as everybody's probability being r.
        calibration_error: Expected calibration error over bins of equal mass; see `calibration_error`.
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


def reliability(
    target: ArrayLike,
    probability: ArrayLike,
    *,
    patient: ArrayLike | pl.Series | None = None,
    bins: int = 15,
    replicates: int = 2_000,
    seed: int = 0,
    level: float = 0.95,
) -> Reliability:
    """Measure probabilities, with percentile intervals of the patient bootstrap.

    All measures are sums over lesions, or functions of such sums, so a replicate is one row of a matrix product of the
    patients' sums and of how often each is drawn. Bins are made once, on the lesions as given.

    Args:
        target: 1 malignant, 0 benign; shape (lesions,); both classes present.
        probability: Of malignancy, in [0, 1]; shape (lesions,).
        patient: Patient ids; None draws lesions.
        bins: Of equal mass.
        replicates: Of the bootstrap; those without both classes are left out.
        seed: Of the draws.
        level: Nominal coverage.

    Raises:
        InputError: Bad arrays, or a probability outside [0, 1].
    """
    lesions = checked_lesions(target, probability)
    if lesions.score.min() < 0 or lesions.score.max() > 1:
        raise InputError("a probability lies outside 0 to 1", where="probability", remedy="calibrate the score first")
    index = equal_mass_bins(lesions.score, lesions.weight, bins)
    used = np.unique(index)
    index = np.searchsorted(used, index)
    code = np.arange(index.size) if patient is None else patient_codes(patient, index.size)
    sums = _sums_by_patient(code, index, lesions.malignant.astype(np.float64), lesions.score, used.size)
    whole = _measures(sums.sum(axis=0)[np.newaxis], used.size)[0]
    drawn = _replicates(Units.of(code, [np.arange(index.size)]), sums, used.size, replicates, seed)

    def cell(column: int) -> Interval:
        values = drawn[:, column][np.isfinite(drawn[:, column])]
        sample = BootstrapSample(
            float(whole[column]), values, np.empty(0), np.empty(0, np.int64), len(drawn) - len(values)
        )
        return interval(sample, level=level, method="percentile")

    counts = np.bincount(index, minlength=used.size)
    means = np.bincount(index, lesions.score) / counts
    parts = tuple((int(counts[b]), float(means[b]), cell(4 + b)) for b in range(used.size))
    return Reliability(cell(0), cell(1), cell(2), cell(3), parts)


def _sums_by_patient(code: Ints, index: Ints, malignant: Floats, probability: Floats, bins: int) -> Floats:
    """Squared error, then lesions, malignant lesions and probability by bin; shape (patients, 1 + 3 bins)."""
    patients = int(code.max()) + 1
    cell = code * bins + index
    parts = [np.ones_like(malignant), malignant, probability]
    by_bin = [np.bincount(cell, part, minlength=patients * bins).reshape(patients, bins) for part in parts]
    error = np.bincount(code, (probability - malignant) ** 2, minlength=patients)
    return np.column_stack([error, *by_bin])


def _measures(sums: Floats, bins: int) -> Floats:
    """Brier, skill, calibration error, expected over observed, share malignant by bin; shape (rows, 4 + bins)."""
    error, lesions, malignant, expected = np.split(sums, [1, 1 + bins, 1 + 2 * bins], axis=1)
    total, cases = lesions.sum(axis=1), malignant.sum(axis=1)
    brier, prevalence = error[:, 0] / total, cases / total
    with np.errstate(divide="ignore", invalid="ignore"):
        skill = 1 - brier / (prevalence * (1 - prevalence))
        ratio = np.where(cases > 0, expected.sum(axis=1) / cases, math.nan)
        share = np.where(lesions > 0, malignant / lesions, math.nan)
    skill[~np.isfinite(skill)] = math.nan
    gap = np.abs(malignant - expected).sum(axis=1) / total
    return np.column_stack([brier, skill, gap, ratio, share])


def _replicates(units: Units, sums: Floats, bins: int, wanted: int, seed: int) -> Floats:
    chunks: list[Floats] = []
    for weights in units.draws(seed):
        chunks.append(_measures(weights.T @ sums, bins))
        if sum(len(chunk) for chunk in chunks) >= wanted:
            break
    return np.concatenate(chunks)[:wanted]
