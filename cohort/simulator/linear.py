"""Small linear algebra whose bits do not depend on the number of threads (no BLAS on the long axis)."""

from __future__ import annotations

import numpy as np

from cohort.simulator.calibration import Array


def cholesky(matrix: Array) -> Array:
    """Lower Cholesky factor of a small positive definite matrix, column by column."""
    size = matrix.shape[0]
    factor = np.zeros_like(matrix)
    for column in range(size):
        rest = matrix[column:, column].copy()
        for earlier in range(column):
            rest -= factor[column:, earlier] * factor[column, earlier]
        factor[column:, column] = rest / np.sqrt(rest[0])
    return factor


def colour(factor: Array, white: Array) -> Array:
    """Rows of `white` (n, d) times the transpose of the lower triangular `factor` (d, d)."""
    out = np.zeros_like(white)
    for row in range(factor.shape[0]):
        for column in range(row + 1):
            if factor[row, column] != 0.0:
                out[:, row] += factor[row, column] * white[:, column]
    return out


def whiten(factor: Array, coloured: Array) -> Array:
    """Solve `factor @ x = row` for every row of `coloured` (n, d): the inverse of `colour`."""
    out = np.empty_like(coloured)
    for row in range(factor.shape[0]):
        rest = coloured[:, row].copy()
        for column in range(row):
            if factor[row, column] != 0.0:
                rest -= factor[row, column] * out[:, column]
        out[:, row] = rest / factor[row, row]
    return out
