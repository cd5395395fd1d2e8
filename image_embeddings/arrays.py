"""Fitted models as `.npz` files of arrays, which hold no Python objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from engine.files import atomic_path

Part = TypeVar("Part")


def save_arrays(path: Path, arrays: Mapping[str, NDArray[np.generic]], parts: Mapping[str, Any]) -> None:
    """Write arrays, and dataclasses of arrays as PART/FIELD, atomically."""
    held = {f"{name}/{field.name}": getattr(part, field.name) for name, part in parts.items() for field in fields(part)}
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays, **held)


@contextmanager
def saved_arrays(path: Path, what: str) -> Iterator[Mapping[str, NDArray[Any]]]:
    """The arrays of a file that `save_arrays` wrote.

    Raises:
        InputError: It cannot be read, or lacks an array that is asked for; `what` is what it should be, "a head" say.
    """
    try:
        # numpy leaves a damaged file open; the outer `with` does not.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            yield arrays
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise InputError(f"not {what}", where=str(path), remedy="train it again") from error


def part_of(arrays: Mapping[str, NDArray[Any]], name: str, kind: type[Part]) -> Part:
    """The dataclass of arrays that was saved under a name."""
    return kind(**{field.name: arrays[f"{name}/{field.name}"] for field in fields(kind)})  # type: ignore[arg-type]
