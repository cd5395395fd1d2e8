"""What every image store does, what a crop is, and how a crop that cannot be read is reported."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError

Pixels = NDArray[np.uint8]
OnBad = Literal["stop", "missing"]
_ID = re.compile(r"[A-Za-z0-9_-]+")
NO_CROP = "no crop of this id"
"""The reason if a store has no entry for a lesion at all."""


class CropError(InputError):
    """One crop cannot be read.

    Attributes:
        isic_id: The lesion whose crop it is.
        reason: What is wrong with it, without the id.
    """

    def __init__(self, isic_id: str, reason: str, *, where: str, remedy: str) -> None:
        self.isic_id = isic_id
        self.reason = reason
        super().__init__(f"{isic_id}: {reason}", where=where, remedy=remedy)

    def __reduce__(self) -> tuple[Callable[..., CropError], tuple[str, str, str | None, str]]:
        """Travel between processes: unpickling cannot pass keyword arguments by itself."""
        return _rebuild, (self.isic_id, self.reason, self.where, self.remedy)


def _rebuild(isic_id: str, reason: str, where: str, remedy: str) -> CropError:
    return CropError(isic_id, reason, where=where, remedy=remedy)


@dataclass(frozen=True, slots=True)
class Crop:
    """One decoded image.

    Attributes:
        isic_id: The lesion it shows.
        pixels: (height, width, 3) uint8 sRGB.
        n_bytes: Encoded size; compressed size tells how much detail there is.
    """

    isic_id: str
    pixels: Pixels
    n_bytes: int


class CropReader(Protocol):
    """What crops are read from; it can be pickled to worker processes, and survives a fork."""

    @property
    def path(self) -> Path:
        """Where the crops are."""
        ...

    def read(self, isic_id: str) -> Crop:
        """Decode one crop.

        Raises:
            CropError: There is no such crop, it is not an image, it is cut short, or it is over a limit.
        """
        ...


@runtime_checkable
class ImageStore(CropReader, Protocol):
    """Crops by `isic_id`.

    A store holds a path, not an open file: files are opened at the first read in each process.
    """

    @property
    def ids(self) -> Sequence[str]:
        """Every id that has an entry, ascending; an entry may still prove unreadable."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Every entry's name in the store, for people."""
        ...

    def has(self, isic_id: str) -> bool:
        """Whether there is an entry for this id; its name may have a further suffix, see `cohort.stores.naming`."""
        ...

    def encoded(self, isic_id: str) -> bytes:
        """The bytes of one crop as they are stored, which tell whether it is the same crop as before.

        Raises:
            CropError: There is no such crop, or it is over a limit.
        """
        ...

    def close(self) -> None:
        """Release what this process has open; the next read opens it again."""
        ...


def try_read(store: CropReader, isic_id: str) -> Crop | CropError:
    """The crop, or the reason why there is none."""
    try:
        return store.read(isic_id)
    except CropError as error:
        return error


def is_id(text: str) -> bool:
    """Whether `text` can be an `isic_id`: letters, digits, `_` and `-` only, so never a path."""
    return _ID.fullmatch(text) is not None


def require_id(isic_id: str, path: Path) -> None:
    """Refuse an id that could be a path.

    Raises:
        CropError: `isic_id` has characters other than letters, digits, `_` and `-`.
    """
    if not is_id(isic_id):
        raise CropError(
            repr(isic_id), "not a valid id", where=str(path), remedy="use letters, digits, '_' and '-' only"
        )
