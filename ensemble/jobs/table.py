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
_BLOCK = 2_048  # rows turned at a time for digests of columns: they stay in the processor's cache


class _Digests:
    """Digests known so far, of columns by rows and of rows by their array; another process starts without them."""

    def __init__(self) -> None:
        self.columns: dict[str, dict[str, str]] = {}
        self.rows: dict[int, tuple[Rows, str]] = {}

    def __reduce__(self) -> Any:  # noqa: ANN401 - what object declares
        return (_Digests, ())


@dataclass(frozen=True, eq=False)
class Table:
    """What jobs of one study train on and score.

    Attributes:
        matrix: Features, shape (rows, features).
        target: 0 benign, 1 malignant, shape (rows,).
        weight: Weight of each row in training, shape (rows,); None weighs all alike.
    """

    matrix: Matrix
    target: Target
    weight: Weight | None = None
    _digests: _Digests = field(default_factory=_Digests, repr=False)

    def digest_of_columns(self, columns: Iterable[str], rows: Rows) -> list[str]:
        """SHA-256 of the values of each column in these rows; computed once for each."""
        names = list(columns)
        known = self._digests.columns.setdefault(self.digest_of_rows(rows), {})
        if missing := [name for name in names if name not in known]:
            place = {name: position for position, name in enumerate(self.matrix.space.names)}
            known.update(zip(missing, self._of_values([place[name] for name in missing], rows), strict=True))
        return [known[name] for name in names]

    def digest_of_rows(self, rows: Rows) -> str:
        """SHA-256 of the positions of rows; computed once for each array, which must not change."""
        known = self._digests.rows
        if id(rows) not in known:
            known[id(rows)] = (rows, digest(rows))  # the array is kept, so that no other gets its id
        return known[id(rows)][1]

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
