"""Fitted models as `.npz` files of arrays, which hold no Python objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from engine.files import atomic_path

Model = TypeVar("Model")


def save_model(model: Any, path: Path) -> None:  # noqa: ANN401 - any dataclass
    """Write a dataclass of arrays, and of dataclasses of arrays (as PART/FIELD), atomically."""
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **dict(_named(model, "")))


def load_model(path: Path, kind: type[Model], what: str) -> Model:
    """Read what `save_model` wrote.

    Raises:
        InputError: The file cannot be read, or lacks an array; `what` says what it should be, such as "a head".
    """
    try:
        # numpy leaves a damaged file open; the outer `with` does not.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return _made(kind, arrays, "")
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise InputError(f"not {what}", where=str(path), remedy="train it again") from error


def _named(model: Any, prefix: str) -> Iterator[tuple[str, NDArray[Any]]]:  # noqa: ANN401 - any dataclass
    for field in fields(model):
        name, value = f"{prefix}{field.name}", getattr(model, field.name)
        yield from _named(value, f"{name}/") if is_dataclass(value) else [(name, value)]


def _made(kind: type[Model], arrays: Mapping[str, NDArray[Any]], prefix: str) -> Model:
    parts = {
        name: _made(part, arrays, f"{prefix}{name}/")
        if isinstance(part, type) and is_dataclass(part)
        else arrays[f"{prefix}{name}"]
        for name, part in get_type_hints(kind).items()
    }
    return kind(**parts)
