"""Shares of lesions within groups of patients, with patient-bootstrap intervals, for all groups in one go."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.special import betaincinv

from cv_folds.bootstrap.intervals import BootstrapSample, Interval
from cv_folds.bootstrap.units import Units
from cv_folds.metrics.inputs import Flags, Floats, Ints

_LEVEL = 0.95


def shares(
    parts: Mapping[str, tuple[Flags, Flags]], code: Ints, *, replicates: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Measure shares such as the sensitivity at one fixed threshold.

    A replicate draws patients and divides two sums over their lesions. If all counted lesions are in, or none are,
    all replicates are equal and say nothing: the ends are then those of the exact binomial interval over lesions
    (Clopper and Pearson, Biometrika 26:404, 1934), which treats lesions as independent.

    Args:
        parts: By name, which lesions are in (the numerator) and which are counted, each of shape (lesions,).
        code: Patients numbered from 0; shape (lesions,).
        replicates: Bootstrap replicates.
        seed: Seed of the draws.

    Returns:
        By name, an interval ready for JSON; its `method` is "percentile" or "exact binomial".
    """
    patients = int(code.max()) + 1
    inside = _by_patient([flags & counted for flags, counted in parts.values()], code, patients)
    counted = _by_patient([counted for _, counted in parts.values()], code, patients)
    values = _drawn(Units(np.arange(code.size), code, np.ones(patients, np.int64)), inside, counted, replicates, seed)
    totals = zip(inside.sum(axis=1), counted.sum(axis=1), values, strict=True)
    return {name: _cell(int(k), int(n), row) for name, (k, n, row) in zip(parts, totals, strict=True)}


def _by_patient(flags: list[Flags], code: Ints, patients: int) -> csr_array:
    """Lesions flagged by name and patient; shape (names, patients)."""
    row = np.concatenate([np.full(int(each.sum()), place) for place, each in enumerate(flags)])
    column = np.concatenate([code[each] for each in flags])
    return csr_array(coo_array((np.ones(row.size), (row, column)), shape=(len(flags), patients)))


def _drawn(units: Units, inside: csr_array, counted: csr_array, wanted: int, seed: int) -> Floats:
    chunks: list[Floats] = []
    for weights in units.draws(seed):
        with np.errstate(invalid="ignore", divide="ignore"):
            chunks.append((inside @ weights) / (counted @ weights))
        if sum(chunk.shape[1] for chunk in chunks) >= wanted:
            break
    return np.concatenate(chunks, axis=1)[:, :wanted]


def _cell(part: int, whole: int, values: NDArray[np.float64]) -> dict[str, Any]:
    if whole and part in {0, whole}:
        low, high = exact_binomial(part, whole)
        return Interval(part / whole, low, high, math.nan, _LEVEL).as_dict() | {"method": "exact binomial"}
    kept = values[np.isfinite(values)]
    estimate = part / whole if whole else math.nan
    sample = BootstrapSample(estimate, kept, np.empty(0), np.empty(0, np.int64), values.size - kept.size)
    return Interval.of(sample, level=_LEVEL, method="percentile").as_dict()


def exact_binomial(part: int, whole: int) -> tuple[float, float]:
    """Ends of the Clopper-Pearson interval of `part` out of `whole`, at 95 %."""
    tail = (1 - _LEVEL) / 2
    low = float(betaincinv(part, whole - part + 1, tail)) if part else 0.0
    high = float(betaincinv(part + 1, whole - part, 1 - tail)) if part < whole else 1.0
    return low, high
