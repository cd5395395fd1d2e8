"""The malignant lesions: candidates drawn from the model, and a choice among them that meets the published figures.

393 draws scatter: a 95 % quantile of their area is uncertain by 8 mm². The published cohort is one such draw, and a
simulated one is to look like it in every seed. So each malignant lesion has some candidates, all drawn from the model
given its patient, and one of each is chosen so that the quantiles, univariate AUCs, sites and within-patient ranks of
the whole set come close to the published ones (balanced sampling in the sense of Deville & Tillé, Biometrika 91:893,
2004, by exchange). The model alone has these figures on average; the choice takes out the scatter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cohort.simulator.calibration import Array, Index
from cohort.simulator.measures import Columns

_SWEEPS = 25
_BUDGET = 16_000
_MOST = 60
_AUC_TOLERANCE = 0.015
_SHARE_TOLERANCE = 0.01
_QUANTILE_TOLERANCE = 0.06  # of the column's standard deviation; the audit allows 0.1
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
        target: (k,) wanted means, on the same scale.
    """

    values: Array
    target: Array


_Mean = tuple[Array, float, float]
"""A feature of the candidates, its wanted mean and the tolerable deviation."""


def features_of(candidates: Candidates, benign: Columns, n_malignant: int, published: Mapping[str, Any]) -> Features:
    """What the choice balances: published figures, and the model's own mean of how high the odds are.

    Args:
        candidates: The candidates.
        benign: Numeric columns of the benign lesions.
        n_malignant: Lesions that will be chosen.
        published: Content of `published.json`.
    """
    made: list[_Mean] = []
    for name, facts in published["columns"].items():
        value, width = candidates.columns[name], _QUANTILE_TOLERANCE * facts["sd"]
        for percent, cut in facts["malignant"].items():
            made += _around(value, float(cut), float(percent) / 100, width, n_malignant)
        if "auc" in facts:
            made.append((share_below(value, benign[name]), facts["auc"], _AUC_TOLERANCE))
    for name, facts in published["zeros"].items():
        made.append((_share(candidates.columns[name] == 0), facts["malignant"], _SHARE_TOLERANCE / 2))
    for name, facts in published["caps"].items():
        made.append((_share(candidates.columns[name] > facts["above"]), facts["malignant"], _SHARE_TOLERANCE / 2))
    duckling = published["ugly_duckling"]
    for percentile, share in ((duckling["median_percentile"], 0.5), (90.0, 1.0 - duckling["top_decile_share"])):
        made.append((_share(candidates.rank <= percentile / 100), share, _SHARE_TOLERANCE))
    cases = np.array([float(facts["malignant"]) for facts in published["sites"].values()])
    for index, share in enumerate(cases / cases.sum()):
        made.append((_share(candidates.site == index), share, _SHARE_TOLERANCE))
    for standing in candidates.standing.values():
        for cut in _STANDINGS:
            below = _share(standing <= cut)
            made.append((below, float(below.mean()), _SHARE_TOLERANCE / 2))
    values = np.stack([value / tolerance for value, _, tolerance in made], axis=1)
    return Features(values, np.array([target / tolerance for _, target, tolerance in made]))


def _around(value: Array, cut: float, share: float, width: float, n_malignant: int) -> Iterator[_Mean]:
    """A quantile as two means: the share below it, and the share near it, of which there must be some."""
    near = _share(np.abs(value - cut) <= width)
    least = 1.0 / n_malignant
    yield _share(value <= cut), share, max(float(near.mean()) / 2, least / 2)
    if near.mean() < 4.0 * least < 0.1:
        yield near, 2.0 * least, least


def _share(condition: npt.NDArray[np.bool_]) -> Array:
    return np.asarray(condition, dtype=np.float64)


def share_below(value: Array, others: Array) -> Array:
    """Share of `others` below each value, ties half."""
    order = np.sort(others)
    below, up_to = np.searchsorted(order, value), np.searchsorted(order, value, side="right")
    return np.asarray((below + up_to) / (2 * len(order)))


def choose(features: Array, target: Array) -> Index:
    """One candidate for each lesion such that the means of the features come close to the target.

    Args:
        features: (lesions, candidates, k).
        target: (k,) wanted means over the lesions.

    Returns:
        (lesions,) index of the candidate of each lesion: a local optimum under exchange of single candidates.
    """
    chosen = np.zeros(len(features), dtype=np.int64)
    error = features[:, 0].sum(axis=0) - target * len(features)
    for _ in range(_SWEEPS):
        moved = False
        for row in range(len(features)):
            rest = error - features[row, chosen[row]]
            cost = np.square(rest + features[row]).sum(axis=1)
            best = int(np.argmin(cost))
            if cost[best] < cost[chosen[row]] * (1.0 - 1e-12):
                error = rest + features[row, best]
                chosen[row] = best
                moved = True
        if not moved:
            break
    return chosen


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
