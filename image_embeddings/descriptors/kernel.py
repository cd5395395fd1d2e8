"""A support vector machine kept as plain arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC

T = TypeVar("T", bound=np.generic)
U = TypeVar("U", bound=np.generic)
# The last bits of a row of a matrix product depend on the number of rows, and, if the tiles of the product are not
# whole, on the row's position too. So every product has _BLOCK rows, and a multiple of TILE columns.
_BLOCK, TILE = 256, 64


@dataclass(frozen=True)
class Kernel:
    """Standardisation and a support vector machine with a Gaussian kernel.

    Attributes:
        mean: (descriptors,) of the training lesions.
        scale: (descriptors,) their standard deviation; 1 for a constant.
        support: (vectors, descriptors) standardised support vectors.
        weight: (vectors,) dual coefficients.
        intercept: () added to the sum.
        gamma: () in exp(-gamma * squared distance).
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    support: NDArray[np.float64]
    weight: NDArray[np.float64]
    intercept: NDArray[np.float64]
    gamma: NDArray[np.float64]

    @classmethod
    def fit(cls, values: NDArray[np.floating[Any]], target: NDArray[np.int8], *, gamma: float = 0.3) -> Kernel:
        """Fit with both classes weighted the same; time grows with the square of the lesions, so sample the benign.

        Args:
            values: (lesions, descriptors) finite.
            target: (lesions,) 1 malignant, 0 benign.
            gamma: Gamma of the Gaussian, times the number of descriptors.
        """
        mean, scale = values.mean(0, dtype=np.float64), values.std(0, dtype=np.float64)
        scale = np.where(scale > 0, scale, 1.0)
        gamma = gamma / values.shape[1]
        fitted = SVC(C=1.0, gamma=gamma, class_weight="balanced").fit((values - mean) / scale, target)
        return cls(
            mean,
            scale,
            np.asarray(fitted.support_vectors_),
            np.asarray(fitted.dual_coef_[0]),
            np.asarray(fitted.intercept_[0]),
            np.asarray(gamma),
        )

    @classmethod
    def empty(cls, columns: int) -> Kernel:
        """A kernel without support vectors, whose decision is always 0."""
        zero = np.zeros(())
        return cls(np.zeros(columns), np.ones(columns), np.empty((0, columns)), np.empty(0), zero, zero)

    def decision(self, values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """(lesions,) signed distance from the boundary in feature space; positive is malignant.

        A lesion's value is the same to the last bit, alone or in any batch.
        """
        support, weight = padded(self.support, TILE), padded(self.weight, TILE)
        own = (support**2).sum(1)

        def decide(block: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
            standard = (block - self.mean) / self.scale
            squared = (standard**2).sum(1)[:, None] + own - 2 * standard @ support.T
            return np.asarray(np.exp(-self.gamma * np.maximum(squared, 0)) @ weight)

        return in_blocks(decide, values) + self.intercept


def in_blocks(change: Callable[[NDArray[T]], NDArray[U]], values: NDArray[T]) -> NDArray[U]:
    """Apply `change`, row by row, to (rows, columns) values: a row's result is the same alone or in any batch."""
    whole = padded(values, _BLOCK)
    blocks = [change(whole[begin : begin + _BLOCK]) for begin in range(0, len(whole), _BLOCK)]
    return np.concatenate(blocks)[: len(values)]


def padded(values: NDArray[T], multiple: int) -> NDArray[T]:
    """The values with rows of zeros up to the next multiple."""
    return np.concatenate([values, np.zeros((-len(values) % multiple, *values.shape[1:]), values.dtype)])
