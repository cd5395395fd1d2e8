"""The rows and columns that jobs draw from, and digests of any part of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ensemble.matrix import Matrix

Rows = npt.NDArray[np.intp]
Target = npt.NDArray[np.int8]
Weight = npt.NDArray[np.float64]
_BLOCK = 2_048  # rows transposed at a time for column digests, so that they stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Table:
    """What jobs of one study train on and score.

    Attributes:
        matrix: Features, shape (rows, features).
        target: 0 benign, 1 malignant, shape (rows,).
        weight: Weight of each row in training, shape (rows,); None weights all alike.
    """

    matrix: Matrix
    target: Target
    weight: Weight | None = None
    #: Digests of columns known so far, by the digest of their rows.
    _digests: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    def digest_of_columns(self, columns: Iterable[str], rows: Rows) -> list[str]:
        """SHA-256 of the values of each column in these rows; computed once per column."""
        names = list(columns)
        known = self._digests.setdefault(digest(rows), {})
        if missing := [name for name in names if name not in known]:
            place = {name: position for position, name in enumerate(self.matrix.space.names)}
            known.update(zip(missing, self._of_values([place[name] for name in missing], rows), strict=True))
        return [known[name] for name in names]

    def _of_values(self, places: list[int], rows: Rows) -> list[str]:
        hashes = [hashlib.sha256() for _ in places]
        for start in range(0, len(rows), _BLOCK):
            block = np.take(self.matrix.values, rows[start : start + _BLOCK], axis=0)
            for found, column in zip(hashes, np.ascontiguousarray(np.take(block, places, axis=1).T), strict=True):
                found.update(column.data)
        return [found.hexdigest() for found in hashes]


def digest(array: npt.NDArray[Any]) -> str:
    """Hex SHA-256 of an array: its type, shape and values."""
    found = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()
