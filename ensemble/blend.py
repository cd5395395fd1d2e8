"""One score from several learners: a weighted mean of their log-odds, or a logistic stack of them."""

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

Scores = npt.NDArray[np.float64]
Target = npt.NDArray[np.int8]
Method = Literal["mean", "greedy", "stack"]
METHODS: tuple[Method, ...] = get_args(Method)
#: Rounds of greedy selection: weights are multiples of 1/n, n at most this.
ROUNDS = 20
#: Scores are kept this far from 0 and 1, so that their log-odds are finite.
_EDGE = 1e-12
#: Ridge penalty of the stack on weights, per malignant lesion; it only decides among equally good learners.
RIDGE = 1e-3


@dataclass(frozen=True)
class Blend:
    """How learners' scores become one.

    "mean" weights all alike and learns nothing from labels. "greedy" takes weights from forward selection with
    replacement for pAUC (Caruana et al., ICML 2004). Both are weighted means of log-odds. "stack" is a logistic
    regression on the log-odds with weights of 0 or more.

    Attributes:
        weights: A weight for each learner, 0 or more; they sum to 1, except for "stack".
        method: Which of the three.
        intercept: Intercept of the stack; 0 for the others.
    """

    weights: Mapping[str, float]
    method: Method = "mean"
    intercept: float = 0.0

    @classmethod
    def fit(cls, oof: Mapping[str, Scores], target: Target | None = None, *, method: Method = "mean") -> Blend:
        """Fit the weights on out-of-fold scores, if the method learns them.

        Args:
            oof: Out-of-fold scores in [0, 1] by learner, each of shape (lesions,).
            target: 0 benign, 1 malignant, shape (lesions,); may be left out for "mean".
            method: See the class.

        Raises:
            InputError: `method` is unknown, or it needs a target.
        """
        if method not in METHODS:
            raise InputError(f"there is no {method!r}", where="[ensemble] blend", remedy=f"use {', '.join(METHODS)}")
        if method == "mean":
            return cls(dict.fromkeys(oof, 1 / len(oof)))
        if target is None:
            raise InputError(f"{method!r} learns its weights from labels", where="blend", remedy="give a target")
        odds = {name: log_odds(scores) for name, scores in oof.items()}
        if method == "greedy":
            return cls(greedy_weights(odds, target), "greedy")
        weights, intercept = _stack(odds, target)
        return cls(weights, "stack", intercept)

    def __call__(self, scores: Mapping[str, Scores]) -> Scores:
        """Blend scores of the fitted learners; shape (lesions,), in [0, 1]."""
        return np.asarray(expit(self.log_odds(scores)), dtype=np.float64)

    def log_odds(self, scores: Mapping[str, Scores]) -> Scores:
        """The blended log-odds; shape (lesions,)."""
        total = np.full(len(next(iter(scores.values()))), self.intercept)
        for name, weight in self.weights.items():  # one by one: the same bits for one lesion as for many
            total += weight * log_odds(scores[name])
        return total

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "method": self.method,
            "weights": dict(self.weights),
            "intercept": self.intercept,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Blend:
        """Read the JSON form back."""
        return cls(dict(value["weights"]), value["method"], value["intercept"])


def by_other_folds(
    score: Callable[[npt.NDArray[np.bool_], npt.NDArray[np.bool_]], Scores], fold: npt.NDArray[np.integer[Any]]
) -> Scores:
    """Scores of each patient fold by what was learned from the other folds; shape (lesions,).

    Args:
        score: Takes flags of the lesions to learn from and of those held out; returns scores of the latter.
        fold: Patient fold of each lesion, shape (lesions,).
    """
    scores = np.empty(len(fold))
    for held_out in np.unique(fold):
        here = fold == held_out
        scores[here] = score(~here, here)
    return scores


def greedy_weights(odds: Mapping[str, Scores], target: Target) -> dict[str, float]:
    """Weights by forward selection with replacement for pAUC.

    Each round adds the learner that gives the mean of all chosen so far the highest pAUC. The best mean over all
    rounds is kept, the earliest if several are equal. Ties go to the learner named first.

    Args:
        odds: Log-odds by learner, each of shape (lesions,).
        target: 0 benign, 1 malignant, shape (lesions,).
    """
    total, chosen, trail = np.zeros(len(target)), [], []
    for _ in range(ROUNDS):
        found = {name: partial_auc(target, total + more) for name, more in odds.items()}
        best = max(found, key=lambda name: found[name])
        chosen.append(best)
        trail.append(found[best])
        total = total + odds[best]
    kept = chosen[: int(np.argmax(trail)) + 1]
    return {name: kept.count(name) / len(kept) for name in odds}


def _stack(odds: Mapping[str, Scores], target: Target) -> tuple[dict[str, float], float]:
    columns = np.column_stack(list(odds.values()))
    positive = target == 1
    *weights, intercept = nonnegative_logistic(columns, positive, ridge=RIDGE * float(positive.mean())).tolist()
    return dict(zip(odds, weights, strict=True)), intercept


def log_odds(scores: Scores) -> Scores:
    """Log-odds of scores in [0, 1], finite at the ends; shape as given."""
    inner = np.clip(scores, _EDGE, 1 - _EDGE)
    return np.log(inner) - np.log1p(-inner)
