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
#: Columns copied at a time for their digests, so that memory stays small.
_COLUMNS = 32


class _Digests:
    """Known digests of columns by rows; another process starts without them."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, str]] = {}

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
        known = self._digests.known.setdefault(digest(rows), {})
        missing = [name for name in names if name not in known]
        place = {name: position for position, name in enumerate(self.matrix.space.names)}
        for start in range(0, len(missing), _COLUMNS):
            some = missing[start : start + _COLUMNS]
            block = np.ascontiguousarray(self.matrix.values[rows[:, np.newaxis], [place[name] for name in some]].T)
            known.update(zip(some, map(digest, block), strict=True))
        return [known[name] for name in names]


def digest(array: npt.NDArray[Any]) -> str:
    """Hex SHA-256 of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()
