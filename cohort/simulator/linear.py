"""Small linear algebra whose bits do not depend on the number of threads: no BLAS on the long axis.

Rows are worked on in chunks that fit the processor's cache, with the long axis last.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cohort.simulator.calibration import Array

_CHUNK = 8192


def cholesky(matrix: Array) -> Array:
    """Lower Cholesky factor of a small positive definite matrix (d, d), column by column."""
    size = matrix.shape[0]
    factor = np.zeros_like(matrix)
    for column in range(size):
        rest = matrix[column:, column].copy()
        for earlier in range(column):
            rest -= factor[column:, earlier] * factor[column, earlier]
        factor[column:, column] = rest / np.sqrt(rest[0])
    return factor


def chunks(n: int) -> Iterator[slice]:
    """Consecutive slices of `n` rows."""
    return (slice(start, start + _CHUNK) for start in range(0, n, _CHUNK))


def colour(factor: Array, white: Array) -> Array:
    """Rows of `white` (n, d) times the transpose of the lower triangular `factor` (d, d)."""
    out = np.empty_like(white)
    for chunk in chunks(len(white)):
        source = np.ascontiguousarray(white[chunk].T)
        for row in range(len(factor)):
            out[chunk, row] = combined(factor[row, : row + 1], source)
    return out


def whiten(factor: Array, coloured: Array) -> Array:
    """Solve `factor @ x = row` for every row of `coloured` (n, d): the inverse of `colour`."""
    out = np.empty_like(coloured)
    for row in range(len(factor)):
        known = combined(factor[row, :row], np.ascontiguousarray(out[:, :row].T))
        out[:, row] = (coloured[:, row] - known) / factor[row, row]
    return out


def combined(weight: Array, source: Array) -> Array:
    """Sum of `weight[i] * source[i]` for (k,) and (k or more, n), in order."""
    total = np.zeros(source.shape[1])
    for index, value in enumerate(weight):
        if value != 0.0:
            total += value * source[index]
    return total


def weighted_products(left: Array, right: Array, weight: Array) -> Array:
    """`left.T @ (weight * right)` for (n, a) and (n, b), summed in one fixed order."""
    out = np.empty((left.shape[1], right.shape[1]))
    for row in range(left.shape[1]):
        for column in range(right.shape[1]):
            out[row, column] = np.sum(left[:, row] * weight * right[:, column])
    return out
