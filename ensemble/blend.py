"""One score from several learners: a weighted mean of their quantile levels, or a logistic stack of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from cv_folds.metrics import partial_auc
from engine.errors import InputError
from ensemble.nonnegative_logistic import nonnegative_logistic
from ensemble.quantile_map import QuantileMap, Scores

Target = npt.NDArray[np.int8]
Method = Literal["mean", "greedy", "stack"]
METHODS: tuple[Method, ...] = get_args(Method)
#: Rounds of greedy selection: weights are multiples of one over at most this.
ROUNDS = 20
#: Levels are kept this far from 0 and 1, so that their log odds are finite.
_EDGE = 1e-7
#: Ridge penalty of the stack on weights, per malignant lesion; it only settles which of several equal learners counts.
RIDGE = 1e-3


@dataclass(frozen=True)
class Blend:
    """How learners' scores become one.

    "mean" weighs all alike and learns nothing from labels. "greedy" takes weights from forward selection with
    replacement for pAUC (Caruana et al., ICML 2004). Both are weighted means of quantile levels. "stack" is a logistic
    regression on the log odds of the levels with weights of 0 or more.

    Attributes:
        maps: A quantile map for each learner, fitted on its out-of-fold scores.
        weights: A weight for each learner, 0 or more; they sum to 1 but for "stack".
        method: Which of the three.
        intercept: Of the stack; 0 for the others.
    """

    maps: Mapping[str, QuantileMap]
    weights: Mapping[str, float]
    method: Method = "mean"
    intercept: float = 0.0

    @classmethod
    def fit(cls, oof: Mapping[str, Scores], target: Target | None = None, *, method: Method = "mean") -> Blend:
        """Fit maps, and where the method learns them weights, on out-of-fold scores.

        Args:
            oof: Out-of-fold scores in [0, 1] by learner, each of shape (lesions,).
            target: 0 benign, 1 malignant, shape (lesions,); may be left out for "mean".
            method: See the class.

        Raises:
            InputError: `method` is unknown, or it needs a target.
        """
        if method not in METHODS:
            raise InputError(f"there is no {method!r}", where="[ensemble] blend", remedy=f"use {', '.join(METHODS)}")
        maps = {name: QuantileMap.fit(scores) for name, scores in oof.items()}
        if method == "mean":
            return cls(maps, dict.fromkeys(oof, 1 / len(oof)))
        if target is None:
            raise InputError(f"{method!r} learns its weights from labels", where="blend", remedy="give a target")
        levels = {name: maps[name](scores) for name, scores in oof.items()}
        if method == "greedy":
            return cls(maps, greedy_weights(levels, target), "greedy")
        weights, intercept = _stack(levels, target)
        return cls(maps, weights, "stack", intercept)

    def __call__(self, scores: Mapping[str, Scores]) -> Scores:
        """Blend scores of the fitted learners; shape (lesions,), in [0, 1]."""
        stacked = self.method == "stack"
        total = np.full(len(next(iter(scores.values()))), self.intercept)
        for name, weight in self.weights.items():  # one after the other: the same bits for one lesion and for many
            level = self.maps[name](scores[name])
            total += weight * (log_odds(level) if stacked else level)
        return expit(total) if stacked else total.clip(0.0, 1.0)

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "method": self.method,
            "weights": dict(self.weights),
            "intercept": self.intercept,
            "maps": {name: fitted.as_dict() for name, fitted in self.maps.items()},
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Blend:
        """Read the JSON form back."""
        maps = {name: QuantileMap.from_dict(fitted) for name, fitted in value["maps"].items()}
        return cls(maps, dict(value["weights"]), value["method"], value["intercept"])


def blended_out_of_fold(
    oof: Mapping[str, Scores], target: Target, fold: npt.NDArray[np.integer[Any]], *, method: Method
) -> Scores:
    """Blend each patient fold with maps and weights fitted on the other folds; shape (lesions,).

    So no lesion's label has a say in the weights of its own score. (The learners that scored the other folds did train
    on this one; the fully nested estimate is `ensemble.nested`.) For "mean" nothing is learned from labels, and the
    maps are those of all lesions, as for new lesions.

    Args:
        oof: Out-of-fold scores in [0, 1] by learner, each of shape (lesions,).
        target: 0 benign, 1 malignant, shape (lesions,).
        fold: Patient fold of each lesion, shape (lesions,).
        method: See `Blend`.
    """
    if method == "mean":
        return Blend.fit(oof)(oof)
    return by_other_folds(lambda known, labels: Blend.fit(known, labels, method=method), oof, target, fold)


def by_other_folds(
    fit: Callable[[Mapping[str, Scores], Target], Callable[[Mapping[str, Scores]], Scores]],
    oof: Mapping[str, Scores],
    target: Target,
    fold: npt.NDArray[np.integer[Any]],
) -> Scores:
    """Score each patient fold by what `fit` learns from the scores and labels of the others; shape (lesions,)."""
    blended = np.empty(len(target))
    for held_out in np.unique(fold):
        here = fold == held_out
        fitted = fit({name: scores[~here] for name, scores in oof.items()}, target[~here])
        blended[here] = fitted({name: scores[here] for name, scores in oof.items()})
    return blended


def greedy_weights(levels: Mapping[str, Scores], target: Target, *, rounds: int = ROUNDS) -> dict[str, float]:
    """Weights by forward selection with replacement for pAUC.

    Each round adds the learner with which the mean of all chosen so far has the highest pAUC; of all rounds the best
    mean is kept, the shortest of equal ones. Ties go to the learner named first.

    Args:
        levels: Quantile levels by learner, each of shape (lesions,).
        target: 0 benign, 1 malignant, shape (lesions,).
        rounds: How many to add.
    """
    total, chosen, trail = np.zeros(len(target)), [], []
    for _ in range(rounds):
        found = {name: partial_auc(target, total + level) for name, level in levels.items()}
        best = max(found, key=lambda name: found[name])
        chosen.append(best)
        trail.append(found[best])
        total = total + levels[best]
    kept = chosen[: int(np.argmax(trail)) + 1]
    return {name: kept.count(name) / len(kept) for name in levels}


def _stack(levels: Mapping[str, Scores], target: Target) -> tuple[dict[str, float], float]:
    columns = np.column_stack([log_odds(level) for level in levels.values()])
    positive = target == 1
    *weights, intercept = nonnegative_logistic(columns, positive, ridge=RIDGE * float(positive.mean())).tolist()
    return dict(zip(levels, weights, strict=True)), intercept


def log_odds(level: Scores) -> Scores:
    """Log-odds of levels, finite at the ends; shape as given."""
    inner = np.clip(level, _EDGE, 1 - _EDGE)
    return np.log(inner) - np.log1p(-inner)
