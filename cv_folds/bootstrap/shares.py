"""Shares of lesions, and means of such shares, with patient-bootstrap intervals, all in one go."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.special import betaincinv

from cv_folds.bootstrap.intervals import Interval
from cv_folds.bootstrap.units import Units
from cv_folds.metrics.inputs import Flags, Floats, Ints

_LEVEL = 0.95
#: A mean has an interval if at least this share of the draws holds lesions of each of its parts.
_DEFINED = 0.5


def shares(
    parts: Mapping[str, tuple[Flags, Flags]],
    code: Ints,
    *,
    means: Mapping[str, Sequence[str]] | None = None,
    replicates: int,
    seed: int,
) -> dict[str, dict[str, Any]]:
    """Measure shares such as the sensitivity at one fixed threshold.

    A replicate draws patients and divides two sums over their lesions. If all counted lesions are in, or none are,
    all replicates are equal and say nothing: the ends are then those of the exact binomial interval over lesions
    (Clopper and Pearson, Biometrika 26:404, 1934), which treats lesions as independent. If a mean holds such a share,
    or one that most draws leave undefined, the draws would understate how much chance moves it: it has no interval. Nor
    has a share that is counted in one patient alone.

    Args:
        parts: By name, which lesions are in (the numerator) and which are counted, each of shape (lesions,).
        code: Patients numbered from 0 without a gap; shape (lesions,).
        means: Named lists of shares that are averaged, such as the mean of all classes' sensitivities.
        replicates: Bootstrap replicates.
        seed: Seed of the draws.

    Returns:
        By name, an interval ready for JSON; its `method` is "percentile" or "exact binomial". A draw in which nothing
        is counted is left out: `redrawn` says how many were, and `replicates` how many are left.
    """
    held = {name: (inside & counted, counted) for name, (inside, counted) in parts.items()}
    units = Units.of(code, [np.add(*flags, dtype=np.int64) - 1 for flags in held.values()])
    inside = _by_unit([part for part, _ in held.values()], units)
    counted = _by_unit([whole for _, whole in held.values()], units)
    drawn = dict(zip(held, _drawn(units, inside, counted, replicates, seed), strict=True))
    totals = {name: (int(flags.sum()), int(among.sum())) for name, (flags, among) in held.items()}
    share = {name: part / whole if whole else math.nan for name, (part, whole) in totals.items()}
    cells = {name: _cell(*totals[name], values) for name, values in drawn.items()}
    for name, averaged in (means or {}).items():
        values = np.mean([drawn[part] for part in averaged], axis=0)
        if any(share[part] in {0, 1} for part in averaged) or np.isfinite(values).mean() < _DEFINED:
            values = np.full_like(values, math.nan)
        cells[name] = _interval(float(np.mean([share[part] for part in averaged])), values)
    return cells


def _by_unit(flags: list[Flags], units: Units) -> csr_array:
    """Lesions flagged by name and unit; shape (names, units)."""
    each = [units.code[flag[units.rows]] for flag in flags]
    row = np.repeat(np.arange(len(flags)), [len(column) for column in each])
    return csr_array(coo_array((np.ones(row.size), (row, np.concatenate(each))), shape=(len(flags), units.size)))


def _drawn(units: Units, inside: csr_array, counted: csr_array, wanted: int, seed: int) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        chunks = [(inside @ weights) / (counted @ weights) for weights in units.replicates(wanted, seed)]
    return np.concatenate(chunks, axis=1)


def _cell(part: int, whole: int, values: Floats) -> dict[str, Any]:
    if whole and part in {0, whole}:
        exact = Interval(part / whole, *exact_binomial(part, whole), math.nan, _LEVEL)
        return exact.as_dict() | {"method": "exact binomial"}
    return _interval(part / whole if whole else math.nan, values)


def _interval(estimate: float, values: Floats) -> dict[str, Any]:
    defined = values[np.isfinite(values)]
    if defined.size and defined.min() == defined.max():
        values = np.full_like(values, math.nan)
    return Interval.of_draws(estimate, values).as_dict()


def exact_binomial(part: int, whole: int) -> tuple[float, float]:
    """Ends of the Clopper-Pearson interval of `part` out of `whole`, at 95 %."""
    tail = (1 - _LEVEL) / 2
    low = float(betaincinv(part, whole - part + 1, tail)) if part else 0.0
    high = float(betaincinv(part + 1, whole - part, 1 - tail)) if part < whole else 1.0
    return low, high
