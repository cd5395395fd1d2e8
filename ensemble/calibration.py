"""From a blended score to a risk: the share of lesions with this score that are malignant, at a stated prevalence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression

from engine.errors import InputError
from ensemble.blend import by_other_folds
from ensemble.nonnegative_logistic import nonnegative_logistic

Scores = npt.NDArray[np.float64]
Target = npt.NDArray[np.int8]
Method = Literal["beta", "platt", "isotonic"]
METHODS: tuple[Method, ...] = get_args(Method)
#: Scores are kept this far from 0 and 1, so that their logarithms are finite.
_EDGE = 1e-7


@dataclass(frozen=True)
class Calibration:
    r"""A monotone map from score to risk.

    "platt" is $\sigma(a \operatorname{logit} s + c)$ (Platt 1999), "beta" is $\sigma(a \ln s - b \ln(1 - s) + c)$ with
    $a, b \ge 0$ (Kull, Silva Filho and Flach, AISTATS 2017), of which "platt" is the case a = b; "isotonic" is the best
    non-decreasing map (Zadrozny and Elkan 2002), linear between the middles of its steps. A prevalence $\pi'$ other
    than the fitted $\pi$ multiplies the odds by $\frac{\pi'}{1 - \pi'} / \frac{\pi}{1 - \pi}$ (Saerens, Latinne and
    Decaestecker, Neural Computation 2002), which holds if only the share of malignant lesions differs.

    Attributes:
        method: Which form.
        parameters: a, b and c; empty for "isotonic".
        knots: Scores and risks at the middles of the steps; empty for the others.
        fitted_prevalence: Share malignant among the lesions it was fitted on.
        prevalence: Share malignant for which risks are stated.
    """

    method: Method
    parameters: tuple[float, ...]
    knots: tuple[tuple[float, float], ...]
    fitted_prevalence: float
    prevalence: float

    @classmethod
    def fit(
        cls, scores: Scores, target: Target, *, method: Method = "beta", prevalence: float | None = None
    ) -> Calibration:
        """Fit by maximum likelihood ("isotonic": least squares).

        Args:
            scores: Scores in [0, 1] of lesions that the scoring models did not train on, shape (lesions,).
            target: 0 benign, 1 malignant, shape (lesions,); both present.
            method: See the class.
            prevalence: Share malignant for which risks are stated, in (0, 1); None for that of `target`.

        Raises:
            InputError: `method` is unknown, or one class is absent.
        """
        if method not in METHODS:
            raise InputError(
                f"there is no {method!r}", where="[calibration] method", remedy=f"use {', '.join(METHODS)}"
            )
        share = float(target.mean())
        if not 0 < share < 1:
            raise InputError(
                "risks need malignant and benign lesions", where="calibration", remedy="give a table with both"
            )
        parameters = () if method == "isotonic" else _logistic(scores, target, shared=method == "platt")
        knots = _steps(scores, target) if method == "isotonic" else ()
        return cls(method, parameters, knots, share, share if prevalence is None else prevalence)

    def __call__(self, scores: Scores) -> Scores:
        """Risks in (0, 1) of scores in [0, 1], shape (lesions,); never falling as the score rises."""
        if self.method == "isotonic":
            at, risk = zip(*self.knots, strict=True)
            risks = np.interp(scores, at, risk)
            odds = risks / (1 - risks)
        else:
            a, b, c = self.parameters
            inner = np.clip(scores, _EDGE, 1 - _EDGE)
            odds = np.exp(a * np.log(inner) - b * np.log1p(-inner) + c)
        odds = odds * (_odds(self.prevalence) / _odds(self.fitted_prevalence))
        return np.asarray(odds / (1 + odds), dtype=np.float64)

    def as_dict(self) -> dict[str, Any]:
        """JSON form; floats are written so that they read back bit for bit."""
        return {
            "method": self.method,
            "parameters": list(self.parameters),
            "knots": [list(knot) for knot in self.knots],
            "fitted_prevalence": self.fitted_prevalence,
            "prevalence": self.prevalence,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Calibration:
        """Read the JSON form back."""
        knots = tuple((float(score), float(risk)) for score, risk in value["knots"])
        return cls(value["method"], tuple(value["parameters"]), knots, value["fitted_prevalence"], value["prevalence"])


def calibrated_out_of_fold(
    scores: Scores,
    target: Target,
    fold: npt.NDArray[np.integer[Any]],
    *,
    method: Method = "beta",
    prevalence: float | None = None,
) -> Scores:
    """Risks of each patient fold by a map fitted on the others, shape (lesions,).

    Args:
        scores: Out-of-fold scores in [0, 1], shape (lesions,).
        target: 0 benign, 1 malignant, shape (lesions,).
        fold: Patient fold of each lesion, shape (lesions,).
        method: See `Calibration`.
        prevalence: See `Calibration.fit`; None states risks at the prevalence of the whole table.
    """
    stated = float(target.mean()) if prevalence is None else prevalence
    return by_other_folds(
        lambda known, held_out: Calibration.fit(scores[known], target[known], method=method, prevalence=stated)(
            scores[held_out]
        ),
        fold,
    )


def _odds(share: float) -> float:
    return share / (1 - share)


def _logistic(scores: Scores, target: Target, *, shared: bool) -> tuple[float, float, float]:
    inner = np.clip(scores, _EDGE, 1 - _EDGE)
    columns = np.column_stack([np.log(inner), -np.log1p(-inner)])
    if shared:
        columns = columns.sum(axis=1, keepdims=True)
    *weights, intercept = nonnegative_logistic(columns, target == 1).tolist()
    return weights[0], weights[-1], intercept


def _steps(scores: Scores, target: Target) -> tuple[tuple[float, float], ...]:
    """The middles of the steps, with risks kept 0.5 / (lesions + 1) away from 0 and 1."""
    fitted = IsotonicRegression(out_of_bounds="clip").fit_transform(scores, target.astype(np.float64))
    order = np.argsort(scores, kind="stable")
    level = fitted[order]
    first = np.flatnonzero(np.append(True, np.diff(level) > 0))
    lesions = np.diff(np.append(first, len(level)))
    least = 0.5 / (len(scores) + 1)
    risk = np.clip(level[first], least, 1 - least)
    middle = np.add.reduceat(scores[order], first) / lesions
    return tuple(zip(middle.tolist(), risk.tolist(), strict=True))
