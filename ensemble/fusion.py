"""Late fusion: table learners and image learners are blended separately, then combined into one score."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from engine.errors import InputError
from ensemble.blend import RIDGE, Blend, Method, Scores, Target, by_other_folds
from ensemble.nonnegative_logistic import nonnegative_logistic


@dataclass(frozen=True)
class Fusion:
    """A blend of the learners that see the table, and a blend of those that see only images.

    A booster makes little use of an image score among hundreds of columns. Here a logistic regression with weights of
    0 or more combines the log-odds of the two blends: an image model counts for as much as it earns on held-out
    lesions, and one that knows nothing counts for nothing.

    Attributes:
        table: Blend of the learners that see the table.
        images: Blend of the learners that see only images.
        table_weight: Weight of the log-odds of `table`.
        image_weight: Weight of the log-odds of `images`.
        intercept: Added to their weighted sum.
    """

    table: Blend
    images: Blend
    table_weight: float
    image_weight: float
    intercept: float

    @classmethod
    def fit(cls, oof: Mapping[str, Scores], target: Target, *, method: Method, images: Collection[str]) -> Fusion:
        """Fit both blends, then the weights, on out-of-fold scores; see `Blend.fit`.

        Args:
            oof: Out-of-fold scores in [0, 1] by learner, each of shape (lesions,).
            target: 0 benign, 1 malignant, shape (lesions,).
            method: Method of both blends.
            images: Names of the learners that see only images; at least one, and not all of them.
        """
        table, pictured = _apart(oof, images)
        blends = Blend.fit(table, target, method=method), Blend.fit(pictured, target, method=method)
        columns = np.column_stack([blend.log_odds(oof) for blend in blends])
        positive = target == 1
        weights = nonnegative_logistic(columns, positive, ridge=RIDGE * float(positive.mean()))
        return cls(*blends, *weights.tolist())

    def __call__(self, scores: Mapping[str, Scores]) -> Scores:
        """Blend scores of the fitted learners; shape (lesions,), in [0, 1]."""
        total = self.intercept + self.table_weight * self.table.log_odds(scores)
        return np.asarray(expit(total + self.image_weight * self.images.log_odds(scores)), dtype=np.float64)

    @property
    def method(self) -> Method:
        """The method of both blends."""
        return self.table.method

    @property
    def weights(self) -> dict[str, float]:
        """For each learner, its weight in its blend times that blend's share of the weights."""
        total = self.table_weight + self.image_weight
        both = ((self.table, self.table_weight), (self.images, self.image_weight))
        return {
            name: weight * (share / total if total else 0.0)
            for blend, share in both
            for name, weight in blend.weights.items()
        }

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "method": self.method,
            "weights": self.weights,
            "table": self.table.as_dict(),
            "images": self.images.as_dict(),
            "fusion": [self.table_weight, self.image_weight, self.intercept],
        }


AnyBlend = Blend | Fusion


def fit_blend(
    oof: Mapping[str, Scores], target: Target | None, *, method: Method, images: Collection[str] = ()
) -> AnyBlend:
    """Fit a fusion if some learners see the table and others only images; otherwise a blend.

    Raises:
        InputError: As in `Blend.fit`, or a fusion is to be fitted without a target.
    """
    if not all(_apart(oof, images)):
        return Blend.fit(oof, target, method=method)
    if target is None:
        raise InputError("fusion learns its weights from labels", where="blend", remedy="give a target")
    return Fusion.fit(oof, target, method=method, images=images)


def blended_out_of_fold(
    oof: Mapping[str, Scores],
    target: Target,
    fold: npt.NDArray[np.integer[Any]],
    *,
    method: Method,
    images: Collection[str] = (),
) -> Scores:
    """Blend each patient fold by what was fitted on the other folds; shape (lesions,).

    So no lesion's label influences the weights of its own score. (The learners that scored the other folds did train
    on this one; for the fully nested estimate see `ensemble.nested`.) A mean of learners of one kind learns nothing.

    Args:
        oof: Out-of-fold scores in [0, 1] by learner, each of shape (lesions,).
        target: 0 benign, 1 malignant, shape (lesions,).
        fold: Patient fold of each lesion, shape (lesions,).
        method: See `Blend`.
        images: Names of the learners that see only images.
    """
    if method == "mean" and not all(_apart(oof, images)):
        return Blend.fit(oof)(oof)

    def score(known: npt.NDArray[np.bool_], held_out: npt.NDArray[np.bool_]) -> Scores:
        seen, new = ({name: scores[rows] for name, scores in oof.items()} for rows in (known, held_out))
        return fit_blend(seen, target[known], method=method, images=images)(new)

    return by_other_folds(score, fold)


def read_blend(value: Mapping[str, Any]) -> AnyBlend:
    """Read the JSON form of a blend or a fusion back."""
    if "fusion" not in value:
        return Blend.from_dict(value)
    return Fusion(Blend.from_dict(value["table"]), Blend.from_dict(value["images"]), *value["fusion"])


def _apart(oof: Mapping[str, Scores], images: Collection[str]) -> tuple[dict[str, Scores], dict[str, Scores]]:
    """The learners that see the table, and those that see only images."""
    return (
        {name: scores for name, scores in oof.items() if name not in images},
        {name: scores for name, scores in oof.items() if name in images},
    )
