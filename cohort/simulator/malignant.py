"""The malignant lesions: candidates drawn from the model, and a choice among them that meets the published figures.

393 draws scatter: a 95 % quantile of their area is uncertain by 8 mm². The published cohort is one such draw, and a
simulated one should look like it with any seed. So each malignant lesion has some candidates, all drawn from the model
given its patient, and one of each is chosen so that the quantiles, univariate AUCs, sites and within-patient ranks of
the whole set come close to the published ones (see `balance`). The model alone has these figures on average; the
choice takes out the scatter.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.simulator.balance import choose
from cohort.simulator.calibration import SIZE, Array, published
from cohort.simulator.patients import MISSING
from cohort.simulator.places import body_site
from cohort.simulator.ranks import share_below, share_below_within
from cohort.simulator.world import World, draw_class

Feature = tuple[Array, float, float]
"""A figure of each candidate, and the wanted range of its mean, all divided by a tolerable deviation."""
_BUDGET = 40_000
_MOST = 100  # candidates per lesion: many if there are few lesions, since few scatter most
_ROUNDS = 30
_AUC_TOLERANCE = 0.015
_SHARE_TOLERANCE = 0.01
_QUANTILE_TOLERANCE = 0.06  # of the column's standard deviation; the audit allows 0.1
_LOWEST, _OPTIMUM_TOLERANCE = 0.2, 0.0005  # the partial AUC comes from the fifth with the lowest standing
_STANDINGS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)


def draw_malignant(world: World, benign: pl.DataFrame, streams: Iterator[np.random.Generator]) -> pl.DataFrame:
    """The malignant lesions, as `draw_class` gives them; those of a shifted population as drawn."""
    patient = np.repeat(np.arange(len(world.cases)), world.cases)
    if world.calibration.shifted:
        return draw_class(world, patient, next(streams), malignant=True)
    each = int(np.clip(_BUDGET // len(patient), 2, _MOST))
    pool = draw_class(world, np.repeat(patient, each), next(streams), malignant=True)
    features = [
        *_of_columns(pool, benign, len(patient)),
        *_of_places(pool, benign, world),
        *_of_standing(pool, benign, world),
    ]
    value, low, high = (np.stack(parts, axis=-1) for parts in zip(*features, strict=True))
    chosen = choose(value.reshape(len(patient), each, -1), low, high, rounds=_ROUNDS)
    return pool[np.arange(len(patient)) * each + chosen]


def _of_columns(pool: pl.DataFrame, benign: pl.DataFrame, n_malignant: int) -> Iterator[Feature]:
    facts = published()
    for name, column in facts["columns"].items():
        value, width = pool[name].to_numpy(), _QUANTILE_TOLERANCE * column["sd"]
        for percent, cut in column["malignant"].items():
            yield from _quantile(value, float(cut), float(percent) / 100, width, n_malignant)
        if "auc" in column:
            yield _about(share_below(value, benign[name].to_numpy()), column["auc"], _AUC_TOLERANCE)
    for name, shares in facts["zeros"].items():
        yield _about(_share(pool[name].to_numpy() == 0), shares["malignant"], _SHARE_TOLERANCE)
    for name, cap in facts["caps"].items():
        yield _about(_share(pool[name].to_numpy() > cap["above"]), cap["malignant"], _SHARE_TOLERANCE)


def _of_places(pool: pl.DataFrame, benign: pl.DataFrame, world: World) -> Iterator[Feature]:
    duckling = published()["ugly_duckling"]
    rank = share_below_within(*(frame[name].to_numpy() for frame in (pool, benign) for name in (SIZE, "patient")))
    for percentile, share in ((duckling["median_percentile"], 0.5), (90.0, 1.0 - duckling["top_decile_share"])):
        yield _about(_share(rank <= percentile / 100), share, 2 * _SHARE_TOLERANCE)
    site = np.array([body_site(name) or MISSING for name in world.calibration.facts["places"]])[pool["location"]]
    cases = {name: facts["malignant"] for name, facts in published()["sites"].items()}
    for name, count in cases.items():
        yield _about(_share(site == name), count / sum(cases.values()), 2 * _SHARE_TOLERANCE)


def _of_standing(pool: pl.DataFrame, benign: pl.DataFrame, world: World) -> Iterator[Feature]:
    """The known odds keep their distribution, and the partial AUC of the best ranking its expectation."""
    odds, others = world.log_odds(pool), world.log_odds(benign)
    for name in odds:
        standing = share_below(odds[name], others[name])
        for cut in _STANDINGS:
            below = _share(standing <= cut)
            yield _about(below, float(below.mean()), _SHARE_TOLERANCE)
        lowest = np.minimum(standing, np.quantile(standing, _LOWEST))
        yield _about(lowest, float(lowest.mean()), _OPTIMUM_TOLERANCE)


def _about(value: Array, wanted: float, tolerance: float) -> Feature:
    return _within(value, wanted - tolerance / 2, wanted + tolerance / 2, tolerance)


def _quantile(value: Array, cut: float, share: float, width: float, n: int) -> Iterator[Feature]:
    """A quantile of n lesions, within `width`, as two shares.

    By linear interpolation it lies between the lesions of rank floor(h) and floor(h) + 1, counted from 0, with
    h = share (n - 1): no more than floor(h) may lie below the range, and floor(h) + 2 must not lie above it.
    """
    rank = np.floor(share * (n - 1))
    unit = max(1.0 / n, float(_share(np.abs(value - cut) <= width).mean()) / 3)
    yield _within(_share(value < cut - width), -1.0, rank / n, unit)
    yield _within(_share(value <= cut + width), min(rank + 2, n) / n, 2.0, unit)


def _within(value: Array, low: float, high: float, tolerance: float) -> Feature:
    return value / tolerance, low / tolerance, high / tolerance


def _share(condition: npt.NDArray[np.bool_]) -> Array:
    return np.asarray(condition, dtype=np.float64)
