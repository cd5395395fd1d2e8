"""The result store: arrays under the name of what they were computed from, whoever asked for them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.files import atomic_path

Arrays = Mapping[str, npt.NDArray[Any]]
_DIGEST = 32


@dataclass(frozen=True)
class ResultStore:
    """A folder of results.

    A result's name is a hash of everything that it depends on, so a name is written once and never changes its meaning.
    Each file begins with its SHA-256: one that is damaged or cut off counts as absent, and is computed again.

    Attributes:
        folder: Where the files lie, in folders by the first two digits of their names.
    """

    folder: Path

    def path(self, name: str) -> Path:
        """Where the result of this name lies, or would lie."""
        return self.folder / name[:2] / f"{name}.result"

    def get(self, name: str) -> dict[str, npt.NDArray[Any]] | None:
        """The arrays of a result; None where there is none, or not a whole one."""
        try:
            content = self.path(name).read_bytes()
        except OSError:
            return None
        digest, packed = content[:_DIGEST], content[_DIGEST:]
        if hashlib.sha256(packed).digest() != digest:
            return None
        with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}

    def put(self, name: str, arrays: Arrays) -> None:
        """Store the arrays of a result, whole or not at all."""
        packed = io.BytesIO()
        np.savez(packed, allow_pickle=False, **arrays)
        with atomic_path(self.path(name)) as temporary:
            temporary.write_bytes(hashlib.sha256(packed.getvalue()).digest() + packed.getvalue())

    def names(self) -> Iterator[str]:
        """Every name there is, in order."""
        return iter(sorted(path.stem for path in self.folder.glob("??/*.result")))
