"""Large arrays that processes of one machine share: written once, mapped by each, never copied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

#: Smaller arrays are cheaper to copy than to open.
_SMALL = 1 << 16


class _MappedArray(np.ndarray[Any, Any]):
    """An array in a file, sent to another process as the file's path; a slice of it is sent as a copy.

    Attributes:
        path: The file; None for a slice, or anything else computed from the array.
    """

    path: str | None = None

    def __reduce__(self) -> Any:  # noqa: ANN401 - what numpy declares
        return (_open, (self.path,)) if self.path else np.array(self, subok=False).__reduce__()


def with_arrays_on_disk(value: Any, folder: Path) -> Any:  # noqa: ANN401 - any value
    """A copy of a value with its large arrays in files in `folder`.

    Args:
        value: Arrays, dataclasses, mappings, tuples and lists are searched; anything else stays as it is.
        folder: Where the files go; it must outlast every process that uses the copy.
    """
    return _moved(value, folder, count())


def _moved(value: Any, folder: Path, numbers: Any) -> Any:  # noqa: ANN401
    if isinstance(value, np.ndarray):
        return _written(value, folder / f"{next(numbers)}.npy") if value.nbytes >= _SMALL else value
    if is_dataclass(value) and not isinstance(value, type):
        return _with_fields(value, {each.name: getattr(value, each.name) for each in fields(value)}, folder, numbers)
    if isinstance(value, Mapping):
        return {key: _moved(inner, folder, numbers) for key, inner in value.items()}
    if type(value) in (tuple, list):
        return type(value)(_moved(inner, folder, numbers) for inner in value)
    return value


def _with_fields(value: Any, known: Mapping[str, Any], folder: Path, numbers: Any) -> Any:  # noqa: ANN401
    moved = {name: _moved(inner, folder, numbers) for name, inner in known.items()}
    if all(moved[name] is known[name] for name in known):
        return value
    copy = object.__new__(type(value))
    for name, inner in moved.items():
        object.__setattr__(copy, name, inner)
    return copy


def _written(array: npt.NDArray[Any], path: Path) -> npt.NDArray[Any]:
    np.save(path, array)
    return _open(str(path))


def _open(path: str) -> npt.NDArray[Any]:
    mapped: _MappedArray = np.load(path, mmap_mode="r").view(_MappedArray)
    mapped.path = path
    return mapped
