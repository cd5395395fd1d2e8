"""The protocol of a learner, so that the ensemble treats all boosting libraries alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from ensemble.matrix import FeatureSpace, Matrix

Scores = npt.NDArray[np.float64]
Target = npt.NDArray[np.int8]
Parameters = Mapping[str, Any]


def shares(gain: Scores) -> Scores:
    """Gains of features as shares of their sum; all 0 if the sum is 0."""
    total = float(gain.sum())
    return np.asarray(gain / total if total > 0 else np.zeros(len(gain)), dtype=np.float64)


def base_log_odds(target: Target, weight: Scores) -> float:
    """Log odds that a row is malignant when nothing is known about it, with weighted rows."""
    malignant = target == 1
    return float(np.log(weight[malignant].sum()) - np.log(weight[~malignant].sum()))


class Model(Protocol):
    """A fitted learner."""

    @property
    def space(self) -> FeatureSpace:
        """The features it was trained on; `predict` brings any matrix into this order."""
        ...

    def predict(self, matrix: Matrix, *, threads: int) -> Scores:
        """Malignancy scores in (0, 1), shape (rows,); bit-identical whatever the other rows and `threads`."""
        ...

    def contributions(self, matrix: Matrix, *, threads: int) -> Scores:
        """What each feature adds to a lesion's log odds.

        TreeSHAP for trees (Lundberg et al., Nature Machine Intelligence 2:56, 2020, tree path dependent): the Shapley
        values of the margin. For a linear learner, coefficient x (value - training mean), which are its Shapley values
        for independent features.

        Returns:
            Shape (rows, features + 1): a column for each of `space.names`, in that order, then the base: the mean log
            odds in training. Each row sums to the log odds of `predict`.
        """
        ...

    def gain(self) -> Scores:
        """Share of each feature in the model's total split gain, or in the total size of its coefficients.

        Returns:
            Shape (features,), in the order of `space.names`, 0 or more; sums to 1, or to 0 for a model that uses none.
        """
        ...

    def save(self, path: Path) -> None:
        """Write the model in the library's native format."""
        ...


class Learner(Protocol):
    """A learning method with its parameters.

    Attributes:
        name: The learner's name in configuration, columns and folders.
        library: The distribution whose version determines the fit, by its name on the package index.
        suffix: File suffix of the native model format.
        trial: Parameters that make fitting almost instant, to try out the user's.
    """

    name: ClassVar[str]
    library: ClassVar[str]
    suffix: ClassVar[str]
    trial: ClassVar[Parameters]

    @classmethod
    def configured(cls, parameters: Parameters) -> Learner:
        """The learner with `parameters` laid over its defaults."""
        ...

    @property
    def parameters(self) -> Parameters:
        """Every parameter in force: the defaults, overridden by the user's."""
        ...

    def fit(self, matrix: Matrix, target: Target, *, seed: int, threads: int, weight: Scores | None = None) -> Model:
        """Train on all given rows, without early stopping. Threads may call it at the same time.

        If no feature varies there is nothing to learn, and the model gives every row the same score.

        Args:
            matrix: Features, shape (rows, features).
            target: 0 benign, 1 malignant, shape (rows,); both classes present.
            seed: The same seed and rows give the same model at any number of threads.
            threads: CPU threads to use.
            weight: Weight of each row, above 0, shape (rows,); None weights all alike.
        """
        ...

    def load(self, path: Path, space: FeatureSpace) -> Model:
        """Read a model back. The caller has checked the file's SHA-256: a damaged file can abort the process."""
        ...
