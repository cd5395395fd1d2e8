"""A folder of image files named by isic_id."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from cohort.stores.decoding import MAX_BYTES, check_size, decode
from cohort.stores.naming import by_id, found_in, require_ids
from cohort.stores.protocol import NO_CROP, Crop, CropError, require_id
from engine.errors import InputError


class FileStore:
    """Image files in one folder and its sub-folders, each named by its isic_id; other files there are ignored.

    Attributes:
        path: The folder.
        suffixes: Those of image files, lower case.
    """

    suffixes: tuple[str, ...]

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    @property
    def ids(self) -> Sequence[str]:
        """Stems of the image files, ascending.

        Raises:
            InputError: No folder, two files of one id, or a name that cannot be an id.
        """
        return require_ids(self._files, where=str(self.path))

    @property
    def names(self) -> Sequence[str]:
        """The image files, below the folder."""
        return [path.relative_to(self.path).as_posix() for path in self._files.values()]

    def has(self, isic_id: str) -> bool:
        """Whether it has a file; see `ImageStore.has`."""
        return found_in(self._files, isic_id) is not None

    def encoded(self, isic_id: str) -> bytes:
        """Its bytes; see `ImageStore.encoded`."""
        with self.opened(isic_id) as stream:
            return stream.read(MAX_BYTES + 1)

    def close(self) -> None:
        """Nothing stays open between reads."""

    @contextmanager
    def opened(self, isic_id: str) -> Iterator[BinaryIO]:
        """Open a regular file within the byte cap.

        Raises:
            CropError: No such id, not a regular file (links are not followed), or over the cap.
        """
        require_id(isic_id, self.path)
        where, path = str(self.path), found_in(self._files, isic_id)
        if path is None:
            raise CropError(isic_id, NO_CROP, where=where, remedy="add its file or leave the row out")
        # O_NOFOLLOW refuses a link at the moment of opening, O_NONBLOCK keeps a named pipe from hanging the reader.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            handle = os.open(path, flags)
        except OSError as error:
            raise CropError(
                isic_id,
                f"a link or an unreadable file ({error.strerror})",
                where=where,
                remedy="put the file itself in the folder",
            ) from error
        with os.fdopen(handle, "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise CropError(isic_id, "not a regular file", where=where, remedy="put the file itself there")
            check_size(isic_id, status.st_size, where=self.path)
            yield stream

    @cached_property
    def _files(self) -> dict[str, Path]:
        if not self.path.is_dir():
            raise InputError(
                "no such folder", where=str(self.path), remedy="give a folder of image files named by isic_id"
            )
        images = (path for path in files_below(self.path) if path.suffix.lower() in self.suffixes)
        return by_id(((path.relative_to(self.path).as_posix(), path) for path in images), where=str(self.path))


class FolderStore(FileStore):
    """JPEG or PNG files."""

    suffixes = (".jpg", ".jpeg", ".png")

    def read(self, isic_id: str) -> Crop:
        """Decode one crop; see `ImageStore.read`."""
        data = self.encoded(isic_id)
        return Crop(isic_id, decode(data, isic_id, where=self.path), len(data))


def files_below(folder: Path) -> Iterator[Path]:
    """Files at any depth, in order; no link to a folder is followed.

    A Mac leaves a `._NAME.jpg` next to each file it copies; that is not an image.
    """
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("._"))
