"""The malignant lesions: candidates drawn from the model, and a choice among them that meets the published figures.

393 draws scatter: a 95 % quantile of their area is uncertain by 8 mm². The published cohort is one such draw, and a
simulated one is to look like it in every seed. So each malignant lesion has some candidates, all drawn from the model
given its patient, and one of each is chosen so that the quantiles, univariate AUCs, sites and within-patient ranks of
the whole set come close to the published ones (see `balance`). The model alone has these figures on average; the
choice takes out the scatter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cohort.simulator.calibration import Array, Index
from cohort.simulator.measures import Columns

_BUDGET = 40_000
_MOST = 100
_AUC_TOLERANCE = 0.015
_SHARE_TOLERANCE = 0.01
_QUANTILE_TOLERANCE = 0.06  # of the column's standard deviation; the audit allows 0.1
_LOWEST, _OPTIMUM_TOLERANCE = 0.2, 0.0005  # the partial AUC is made of the fifth of the lowest standing
_STANDINGS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)


def candidates_each(n_malignant: int) -> int:
    """Candidates per malignant lesion: many for few, since few scatter most."""
    return int(np.clip(_BUDGET // max(n_malignant, 1), 2, _MOST))


@dataclass(frozen=True)
class Candidates:
    """What is known of each of n candidates.

    Attributes:
        columns: Numeric columns, each (n,).
        site: (n,) index of the body site in `published.json`.
        rank: (n,) share of the patient's benign lesions that are smaller.
        standing: Share of all benign lesions of lower odds, (n,) for each of the known probabilities.
    """

    columns: Columns
    site: Index
    rank: Array
    standing: dict[str, Array]


@dataclass(frozen=True)
class Features:
    """What the choice balances.

    Attributes:
        values: (n, k) each divided by the deviation of its mean that is tolerable.
        low: (k,) least wanted means, on the same scale.
        high: (k,) largest wanted means.
    """

    values: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class _Range:
    """A feature of the candidates, the wanted range of its mean and its unit, a tolerable deviation."""

    value: Array
    low: float
    high: float
    unit: float


def features_of(candidates: Candidates, benign: Columns, n_malignant: int, published: Mapping[str, Any]) -> Features:
    """What the choice balances: published figures, and the model's own mean of how high the odds are.

    Args:
        candidates: The candidates.
        benign: Numeric columns of the benign lesions.
        n_malignant: Lesions that will be chosen.
        published: Content of `published.json`.
    """
    made = [
        *_of_columns(candidates.columns, benign, n_malignant, published),
        *_of_places(candidates, published),
        *_of_standing(candidates.standing),
    ]
    values = np.stack([part.value / part.unit for part in made], axis=1)
    low, high = (np.array([getattr(part, end) / part.unit for part in made]) for end in ("low", "high"))
    return Features(values, low, high)


def _of_columns(columns: Columns, benign: Columns, n_malignant: int, published: Mapping[str, Any]) -> Iterator[_Range]:
    for name, facts in published["columns"].items():
        value, width = columns[name], _QUANTILE_TOLERANCE * facts["sd"]
        for percent, cut in facts["malignant"].items():
            yield from _quantile(value, float(cut), float(percent) / 100, width, n_malignant)
        if "auc" in facts:
            yield _about(share_below(value, benign[name]), facts["auc"], _AUC_TOLERANCE)
    for name, facts in published["zeros"].items():
        yield _about(_share(columns[name] == 0), facts["malignant"], _SHARE_TOLERANCE)
    for name, facts in published["caps"].items():
        yield _about(_share(columns[name] > facts["above"]), facts["malignant"], _SHARE_TOLERANCE)


def _of_places(candidates: Candidates, published: Mapping[str, Any]) -> Iterator[_Range]:
    duckling = published["ugly_duckling"]
    for percentile, share in ((duckling["median_percentile"], 0.5), (90.0, 1.0 - duckling["top_decile_share"])):
        yield _about(_share(candidates.rank <= percentile / 100), share, 2 * _SHARE_TOLERANCE)
    cases = np.array([float(facts["malignant"]) for facts in published["sites"].values()])
    for index, share in enumerate(cases / cases.sum()):
        yield _about(_share(candidates.site == index), share, 2 * _SHARE_TOLERANCE)


def _of_standing(standings: Mapping[str, Array]) -> Iterator[_Range]:
    """The known odds keep their distribution, and the partial AUC of the best ranking its expectation."""
    for standing in standings.values():
        for cut in _STANDINGS:
            below = _share(standing <= cut)
            yield _about(below, float(below.mean()), _SHARE_TOLERANCE)
        lowest = np.minimum(standing, np.quantile(standing, _LOWEST))
        yield _about(lowest, float(lowest.mean()), _OPTIMUM_TOLERANCE)


def _about(value: Array, wanted: float, tolerance: float) -> _Range:
    return _Range(value, wanted - tolerance / 2, wanted + tolerance / 2, tolerance)


def _quantile(value: Array, cut: float, share: float, width: float, n: int) -> Iterator[_Range]:
    """A quantile of n lesions, within `width`, as two shares.

    By linear interpolation it lies between the lesions of rank floor(h) and floor(h) + 1, counted from 0, with
    h = share (n - 1): no more than floor(h) may lie below the range, and floor(h) + 2 must not lie above it.
    """
    rank = np.floor(share * (n - 1))
    unit = max(1.0 / n, float(_share(np.abs(value - cut) <= width).mean()) / 3)
    yield _Range(_share(value < cut - width), -1.0, rank / n, unit)
    yield _Range(_share(value <= cut + width), min(rank + 2, n) / n, 2.0, unit)


def _share(condition: npt.NDArray[np.bool_]) -> Array:
    return np.asarray(condition, dtype=np.float64)


def share_below(value: Array, others: Array) -> Array:
    """Share of `others` below each value, ties half."""
    order = np.sort(others)
    below, up_to = np.searchsorted(order, value), np.searchsorted(order, value, side="right")
    return np.asarray((below + up_to) / (2 * len(order)))


def rank_within(patient: Index, size: Array, benign_patient: Index, benign_size: Array) -> Array:
    """Share of the same patient's benign lesions that are smaller than each lesion (ties half); 0.5 without any.

    `benign_patient` must be sorted.
    """
    rank = np.full(len(patient), 0.5)
    for index in np.unique(patient):
        rows = np.flatnonzero(patient == index)
        first, last = np.searchsorted(benign_patient, [index, index + 1])
        if last > first:
            others = np.sort(benign_size[first:last])
            lower, upper = np.searchsorted(others, size[rows]), np.searchsorted(others, size[rows], "right")
            rank[rows] = (lower + upper) / 2 / len(others)
    return rank
