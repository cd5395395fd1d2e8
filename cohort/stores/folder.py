"""A folder of image files named by isic_id."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from cohort.stores.decoding import check_size, decode
from cohort.stores.protocol import DEFAULT_LIMITS, Crop, CropError, Limits, is_id, require_id
from engine.errors import InputError

SUFFIXES = (".jpg", ".jpeg", ".png")


class FolderStore:
    """JPEG or PNG files directly in one folder, each named by its isic_id; other files there are left alone."""

    def __init__(self, path: Path, *, limits: Limits = DEFAULT_LIMITS) -> None:
        self._path = Path(path)
        self._limits = limits

    @property
    def path(self) -> Path:
        """The folder."""
        return self._path

    @property
    def ids(self) -> Sequence[str]:
        """Stems of the image files, ascending.

        Raises:
            InputError: No folder, two files of one id, or a name that cannot be an id.
        """
        return list(self._files)

    def read(self, isic_id: str) -> Crop:
        """Decode one crop; see `ImageStore.read`."""
        data = self.encoded(isic_id)
        return Crop(isic_id, decode(data, isic_id, limits=self._limits, where=self._path), len(data))

    def encoded(self, isic_id: str) -> bytes:
        """Its bytes; see `ImageStore.encoded`."""
        return read_file(self._files, isic_id, limits=self._limits, where=self._path)

    def close(self) -> None:
        """Nothing stays open between reads."""

    @cached_property
    def _files(self) -> dict[str, Path]:
        return list_files(self._path, SUFFIXES)


def list_files(folder: Path, suffixes: Sequence[str]) -> dict[str, Path]:
    """Files of a folder by id, ascending.

    Raises:
        InputError: No folder, two files of one id, or a name that cannot be an id.
    """
    if not folder.is_dir():
        raise InputError("no such folder", where=str(folder), remedy="give a folder of image files named by isic_id")
    files: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if _is_image(path, suffixes)):
        if not is_id(path.stem):
            raise InputError(f"{path.name} is not named by an id", where=str(folder), remedy="name files by isic_id")
        if path.stem in files:
            raise InputError(
                f"{files[path.stem].name} and {path.name} have one id", where=str(folder), remedy="keep one of them"
            )
        files[path.stem] = path
    return dict(sorted(files.items()))


def _is_image(path: Path, suffixes: Sequence[str]) -> bool:
    """A Mac leaves a `._NAME.jpg` of its own next to each file that it copies; that is no image."""
    return path.suffix.lower() in suffixes and not path.name.startswith("._")


def read_file(files: dict[str, Path], isic_id: str, *, limits: Limits, where: Path) -> bytes:
    """The bytes of a regular file within the byte cap.

    Raises:
        CropError: See `open_file`.
    """
    with open_file(files, isic_id, limits=limits, where=where) as stream:
        return stream.read(limits.max_bytes + 1)


@contextmanager
def open_file(files: dict[str, Path], isic_id: str, *, limits: Limits, where: Path) -> Iterator[BinaryIO]:
    """Open a regular file within the byte cap.

    Raises:
        CropError: No such id, not a regular file (links are not followed), or over the cap.
    """
    require_id(isic_id, where)
    if isic_id not in files:
        raise CropError(isic_id, "no crop of this id", where=str(where), remedy="add its file or leave the row out")
    # O_NOFOLLOW refuses a link at the moment of opening, O_NONBLOCK keeps a named pipe from hanging the reader.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(files[isic_id], flags)
    except OSError as error:
        raise CropError(
            isic_id,
            f"a link or an unreadable file ({error.strerror})",
            where=str(where),
            remedy="put the file itself in the folder",
        ) from error
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise CropError(isic_id, "not a regular file", where=str(where), remedy="put the file itself there")
        check_size(isic_id, status.st_size, limits=limits, where=where)
        yield stream
