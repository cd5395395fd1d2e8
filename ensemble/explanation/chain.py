"""The exchange rates between log odds, probability and blended score: secants, so that nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from math import factorial

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Floats = npt.NDArray[np.float64]
Blending = Callable[[Mapping[str, Floats]], Floats]

_NEAR = 1e-6  # log odds apart, below which the secant is the tangent
_LEAST = 1e-9  # probability that a learner is moved at least, to have a rate where its score is its base


def probability_rate(margin: Floats, base: Floats) -> Floats:
    """Probability gained for each unit of log odds between `base` and `margin`, shape (rows,), above 0."""
    gap = margin - base
    near = np.abs(gap) < _NEAR
    middle = expit((margin + base) / 2)
    secant = (expit(margin) - expit(base)) / np.where(near, 1.0, gap)
    return np.asarray(np.where(near, middle * (1 - middle), secant), dtype=np.float64)


def blend_rates(blend: Blending, scores: Mapping[str, Floats], base: Mapping[str, Floats]) -> dict[str, Floats]:
    """Blended score gained for each unit of a learner's probability between its base and its score.

    Args:
        blend: Joins scores by learner.
        scores: Probabilities by learner, each of shape (rows,).
        base: Probabilities by learner before anything is known of the lesion, each of shape (rows,).

    Returns:
        By learner its Shapley value over its move, shape (rows,); the rates times the moves sum to
        blend(scores) - blend(base).
    """
    moved = {
        name: np.where(np.abs(score - base[name]) < _LEAST, base[name] + _LEAST, score)
        for name, score in scores.items()
    }
    return {name: worth / (moved[name] - base[name]) for name, worth in _shapley(blend, moved, base).items()}


def _shapley(blend: Blending, at: Mapping[str, Floats], base: Mapping[str, Floats]) -> dict[str, Floats]:
    """Shapley values of the learners, by all their coalitions (Shapley, 1953): exact, and few as learners are."""
    names = list(at)
    coalitions = [frozenset(chosen) for size in range(len(names) + 1) for chosen in combinations(names, size)]
    worth = {
        coalition: blend({name: at[name] if name in coalition else base[name] for name in names})
        for coalition in coalitions
    }
    values = {name: np.zeros_like(base[name]) for name in names}
    for coalition in coalitions:
        share = (
            factorial(len(coalition)) * factorial(len(names) - len(coalition) - 1) if len(coalition) < len(names) else 0
        )
        for name in names:
            if name not in coalition:
                values[name] += share / factorial(len(names)) * (worth[coalition | {name}] - worth[coalition])
    return values
