"""The result store: arrays named after what they were computed from, whoever asked for them."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.files import atomic_path

Arrays = Mapping[str, npt.NDArray[Any]]
_DIGEST = 32
LISTS = "asked"
"""Folder of the lists of results asked for."""
_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ResultStore:
    """A folder of results.

    A result's name is a hash of everything that it depends on, so a name is written once and never changes its meaning.
    Each file begins with the SHA-256 of its name and content: a file that is damaged, cut off or misnamed
    counts as absent, and is computed again.

    Attributes:
        folder: Where the files lie, in folders by the first two digits of their names.
        basis: Names what the callers work on, and the list of all results they ask for; None keeps no list.
    """

    folder: Path
    basis: str | None = None

    def path(self, name: str) -> Path:
        """The path of the result of this name, whether or not it exists."""
        return self.folder / name[:2] / f"{name}.result"

    def get(self, name: str) -> dict[str, npt.NDArray[Any]] | None:
        """The arrays of a result; None if it is missing or not whole."""
        try:
            content = self.path(name).read_bytes()
        except OSError:
            return None
        digest, packed = content[:_DIGEST], content[_DIGEST:]
        if _digest(name, packed) != digest:
            return None
        with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}

    def put(self, name: str, arrays: Arrays) -> None:
        """Store the arrays of a result, whole or not at all."""
        packed = io.BytesIO()
        np.savez(packed, allow_pickle=False, **arrays)
        with atomic_path(self.path(name)) as temporary:
            temporary.write_bytes(_digest(name, packed.getvalue()) + packed.getvalue())

    def note(self, names: Iterable[str]) -> None:
        """Add to the list of results asked for; several processes may do so at the same time."""
        if self.basis is None:
            return
        path = self.folder / LISTS / self.basis
        if new := sorted(set(names) - _listed(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as stream:  # starts a new line: the last may be cut off
                stream.write("\n" + "\n".join(new) + "\n")

    def outdated(self) -> list[Path]:
        """Results asked for only on other bases, and the lists of those bases.

        Results on no list stay, as nobody knows who needs them. Nothing is outdated until this basis has a list.
        """
        if self.basis is None or not (needed := _listed(self.folder / LISTS / self.basis)):
            return []
        lists = [path for path in sorted((self.folder / LISTS).glob("*")) if path.name != self.basis]
        names = set().union(*map(_listed, lists)) - needed
        return [*(path for name in sorted(names) if (path := self.path(name)).is_file()), *lists]


def _digest(name: str, packed: bytes) -> bytes:
    return hashlib.sha256(name.encode() + packed).digest()


def _listed(path: Path) -> set[str]:
    """The complete names in a list."""
    return set(filter(_NAME.fullmatch, path.read_text("utf-8", "replace").splitlines())) if path.is_file() else set()
