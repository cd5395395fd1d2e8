"""Logistic regression behind the learner protocol: the baseline that boosting has to beat. Models are JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from engine.files import read_json, write_json
from ensemble.learners.base import Parameters, Scores, Target, base_log_odds, shares
from ensemble.learners.parameters import check_names
from ensemble.matrix import FeatureSpace, Matrix
from ensemble.quiet import quiet

DEFAULTS: Parameters = {"C": 0.1, "max_iter": 300, "benign_weight": 1.0}
#: Standardised values are clipped here: measured areas and ratios have tails that would dominate the fit.
_CUT = 4.0


@dataclass(frozen=True)
class Logistic:
    """Ridge-penalised logistic regression with `parameters` over `DEFAULTS`.

    Numbers are standardised by the training rows, clipped at 4 standard deviations, and missing ones take the mean;
    categories become one column per level. `C` is the inverse of the penalty, `benign_weight` the weight of each
    benign row.
    """

    parameters: Parameters
    name: ClassVar[str] = "logistic"
    library: ClassVar[str] = "scikit-learn"
    suffix: ClassVar[str] = ".json"
    trial: ClassVar[Parameters] = {"max_iter": 2}

    @classmethod
    def configured(cls, parameters: Parameters) -> Logistic:
        """Lay `parameters` over the defaults; an unknown name is refused."""
        check_names(parameters, DEFAULTS, owner=("solver",), aliases={}, learner=cls.name)
        return cls({**DEFAULTS, **parameters})

    def fit(
        self,
        matrix: Matrix,
        target: Target,
        *,
        seed: int,
        threads: int,  # noqa: ARG002 - one thread: the order of additions changes bits
        weight: Scores | None = None,
    ) -> LogisticModel:
        """See `Learner.fit`. The fit has one optimum; `seed` moves it only through the rows drawn."""
        scaling = _Scaling.fit(matrix)
        weights = np.where(target == 1, 1.0, self.parameters["benign_weight"]) * (1.0 if weight is None else weight)
        design = [column.astype(np.float32) for column in scaling.columns(matrix.values)]
        if not any((column != column[0]).any() for column in design):
            means = tuple(float(column[0]) for column in design)
            return LogisticModel(scaling, (0.0,) * len(design), base_log_odds(target, weights), means)
        columns = np.column_stack(design)
        fitted = LogisticRegression(C=self.parameters["C"], max_iter=self.parameters["max_iter"], random_state=seed)
        # Stopping early changes the ranking less than another penalty would, and is reproducible bit for bit. Thread
        # limits hold for the whole process, so `quiet`, which admits one fit at a time, keeps fits from mixing them up.
        with quiet(ConvergenceWarning), threadpool_limits(limits=1):
            fitted.fit(columns, target, sample_weight=weights)
        means = columns.mean(axis=0, dtype=np.float64)
        return LogisticModel(
            scaling, tuple(fitted.coef_[0].tolist()), float(fitted.intercept_[0]), tuple(means.tolist())
        )

    def load(self, path: Path, space: FeatureSpace) -> LogisticModel:
        """See `Learner.load`."""
        stored = read_json(path)
        scaling = _Scaling(space, tuple(stored["centre"]), tuple(stored["spread"]))
        return LogisticModel(scaling, tuple(stored["coefficients"]), stored["intercept"], tuple(stored["means"]))


@dataclass(frozen=True)
class LogisticModel:
    """A fitted logistic regression.

    Attributes:
        scaling: Features and how they are standardised.
        coefficients: One for each design column.
        intercept: Log odds if every design column is 0.
        means: Mean of each design column in training.
    """

    scaling: _Scaling
    coefficients: tuple[float, ...]
    intercept: float
    means: tuple[float, ...]

    @property
    def space(self) -> FeatureSpace:
        """See `Model.space`."""
        return self.scaling.space

    def predict(self, matrix: Matrix, *, threads: int) -> Scores:  # noqa: ARG002 - sums run in one order
        """See `Model.predict`."""
        margin = np.full(len(matrix), self.intercept)
        columns = self.scaling.columns(matrix.for_model(self.space))
        for coefficient, column in zip(self.coefficients, columns, strict=True):
            margin += coefficient * column  # column by column: the same bits for one lesion as for many
        return np.asarray(np.clip(expit(margin), 1e-15, 1 - 1e-15), dtype=np.float64)

    def contributions(self, matrix: Matrix, *, threads: int) -> Scores:  # noqa: ARG002 - sums run in one order
        """See `Model.contributions`."""
        found = np.zeros((len(matrix), len(self.space.names) + 1))
        columns = self.scaling.columns(matrix.for_model(self.space))
        parts = zip(self.scaling.feature_of_column(), self.coefficients, self.means, columns, strict=True)
        for feature, coefficient, mean, column in parts:
            found[:, feature] += coefficient * (column - mean)
        found[:, -1] = self.intercept + np.dot(self.coefficients, self.means)
        return found

    def gain(self) -> Scores:
        """See `Model.gain`."""
        found = np.zeros(len(self.space.names))
        np.add.at(found, self.scaling.feature_of_column(), np.abs(self.coefficients))
        return shares(found)

    def save(self, path: Path) -> None:
        """See `Model.save`."""
        write_json(self.as_dict(), path)

    def as_dict(self) -> dict[str, Any]:
        """JSON form, without the feature space."""
        return {
            "centre": list(self.scaling.centre),
            "spread": list(self.scaling.spread),
            "coefficients": list(self.coefficients),
            "intercept": self.intercept,
            "means": list(self.means),
        }


@dataclass(frozen=True)
class _Scaling:
    """The design: standardised numbers, and one column for each category level."""

    space: FeatureSpace
    centre: tuple[float, ...]
    spread: tuple[float, ...]

    @classmethod
    def fit(cls, matrix: Matrix) -> _Scaling:
        centre, spread = [], []
        for position, name in enumerate(matrix.space.names):
            values = matrix.values[:, position].astype(np.float64)
            known = values[np.isfinite(values)]
            numeric = name not in matrix.space.levels and known.size
            centre.append(float(known.mean()) if numeric else 0.0)
            spread.append(float(known.std()) or 1.0 if numeric else 1.0)
        return cls(matrix.space, tuple(centre), tuple(spread))

    def columns(self, values: npt.NDArray[np.float32]) -> Iterator[Scores]:
        """Design columns one by one, each of shape (rows,)."""
        for position, name in enumerate(self.space.names):
            column = values[:, position].astype(np.float64)
            if name in self.space.levels:
                yield from ((column == code).astype(np.float64) for code in range(len(self.space.levels[name])))
            else:
                scaled = np.clip((column - self.centre[position]) / self.spread[position], -_CUT, _CUT)
                yield np.where(np.isnan(scaled), 0.0, scaled)

    def feature_of_column(self) -> list[int]:
        """Which feature each design column comes from."""
        sizes = [len(self.space.levels[name]) if name in self.space.levels else 1 for name in self.space.names]
        return [position for position, size in enumerate(sizes) for _ in range(size)]
