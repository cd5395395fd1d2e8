"""Balanced choice among random candidates.

Balanced sampling (Deville & Tillé, Biometrika 91:893, 2004) draws a sample whose means of some features are as wanted,
while all else stays random. Here each unit has a few candidates drawn from the model, and single candidates are
exchanged as long as the means come closer to the wanted ranges.
"""

from __future__ import annotations

import numpy as np

from cohort.simulator.calibration import Array, Index

_SWEEPS = 25
_EMPHASIS = 1.4


def choose(features: Array, low: Array, high: Array, *, rounds: int = 1) -> Index:
    """Choose a candidate for each unit so that the means of the features fall into their ranges.

    Args:
        features: (units, candidates, k), each feature divided by the tolerable deviation of its mean.
        low: (k,) least wanted mean over the units, on the same scale.
        high: (k,) largest wanted mean.
        rounds: At most this many; after each, features still outside their range count for more.

    Returns:
        (units,) index of the candidate of each unit: the best local optimum under exchange of single candidates.
    """
    chosen = np.zeros(len(features), dtype=np.int64)
    best, least = chosen, np.inf
    weight = np.ones(len(low))
    for _ in range(rounds):
        _exchange(features * weight, low * weight, high * weight, chosen)
        missed = _outside(features[np.arange(len(features)), chosen].mean(axis=0), low, high)
        if missed.max() < least:
            best, least = chosen.copy(), float(missed.max())
        if least <= 0.0:
            break
        weight *= np.where(missed > 0.0, _EMPHASIS, 1.0)
    return best


def _exchange(features: Array, low: Array, high: Array, chosen: Index) -> None:
    """Exchange single candidates, in place, until none brings the sums closer or the sweeps run out."""
    low, high = low * len(features), high * len(features)
    total = features[np.arange(len(features)), chosen].sum(axis=0)
    for _ in range(_SWEEPS):
        moved = False
        for row, options in enumerate(features):
            rest = total - options[chosen[row]]
            cost = np.square(_outside(rest + options, low, high)).sum(axis=1)
            best = int(np.argmin(cost))
            if cost[best] < cost[chosen[row]] * (1.0 - 1e-12):
                total = rest + options[best]
                chosen[row] = best
                moved = True
        if not moved:
            break


def _outside(value: Array, low: Array, high: Array) -> Array:
    """How far values are outside their ranges: 0 within."""
    return np.asarray(np.maximum(np.maximum(low - value, value - high), 0.0))
