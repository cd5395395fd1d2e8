"""Crops in an HDF5 file: one JPEG byte string per isic_id, as in the official one, or another common form."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cohort.stores.decoding import check_pixels, check_size, decode
from cohort.stores.naming import by_id, found_in, require_ids
from cohort.stores.protocol import NO_CROP, Crop, CropError, Pixels, is_id, require_id
from engine.errors import InputError

_IMAGE = frozenset({"image", "img", "data", "jpg", "jpeg", "png", "pixels", "bytes"})
"""Entry names that say nothing about the lesion: its group's name is used."""
_LINK = "a soft or external link, which may lead out of the file"
_STORE = "store each crop by its isic_id, as the bytes of a JPEG or PNG file or as uint8 pixels (height, width, 3)"
_COPY = "copy the crop itself into this file"


class Hdf5Store:
    """Crops in one HDF5 file, each a byte string, a row of bytes (uint8) or pixels (uint8), in groups of any depth.

    An HDF5 file can point into other files (external links, external storage, virtual datasets) and at other places
    in itself (soft links). Such entries are refused: a crop is read from this file or not at all.

    Attributes:
        path: The HDF5 file.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._file: Any = None
        self._process = 0

    @property
    def ids(self) -> Sequence[str]:
        """The entries' names without folder and suffix, ascending.

        Raises:
            InputError: An entry's name cannot be an isic_id, or two entries share one.
        """
        return require_ids(self._entries, where=str(self.path))

    @property
    def names(self) -> Sequence[str]:
        """Paths of the entries in the file."""
        return list(self._entries.values())

    @property
    def links(self) -> Sequence[str]:
        """Soft and external links, none of which is followed."""
        return self._listed[1]

    def has(self, isic_id: str) -> bool:
        """Whether it has an entry; see `ImageStore.has`."""
        there = is_id(isic_id) and self._open().id.links.exists(isic_id.encode())
        return there or found_in(self._entries, isic_id) is not None

    def read(self, isic_id: str) -> Crop:
        """Decode one crop; see `ImageStore.read`."""
        value = self._value(isic_id)
        if value.ndim > 1:
            return Crop(isic_id, value if value.ndim == 3 else np.repeat(value[:, :, None], 3, axis=2), value.nbytes)
        data = value.tobytes()
        return Crop(isic_id, decode(data, isic_id, where=self.path), len(data))

    def encoded(self, isic_id: str) -> bytes:
        """Its bytes; see `ImageStore.encoded`."""
        value = self._value(isic_id)
        return value.tobytes() if value.ndim == 1 else str(value.shape).encode() + value.tobytes()

    def _value(self, isic_id: str) -> Pixels:
        """The content of a crop's entry: bytes (n,), or pixels (height, width) or (height, width, 3)."""
        require_id(isic_id, self.path)
        try:
            value = self._content(isic_id, self._dataset(isic_id))
        except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
            raise self._refuse(isic_id, "a damaged entry", "write the file again") from error
        check_size(isic_id, value.nbytes, where=self.path)
        return value

    def _dataset(self, isic_id: str) -> Any:  # noqa: ANN401 - h5py is untyped
        """The entry of an id: at the root as it is, which is cheap to look up, or anywhere."""
        # h5py's low-level calls: its mappings look the name up several times, which costs as much as decoding.
        root, name = self._open().id, isic_id.encode()
        there = root.links.exists(name)
        if there:
            if root.links.get_info(name).type != h5py.h5l.TYPE_HARD:
                raise self._refuse(isic_id, _LINK, _COPY)
            if h5py.h5o.get_info(root, name).type == h5py.h5o.TYPE_DATASET:
                return h5py.h5d.open(root, name)
        path = found_in(self._entries, isic_id)
        if path is None or path == isic_id:
            raise self._refuse(isic_id, "a group, not an image" if there else NO_CROP)
        if path in self.links:
            raise self._refuse(isic_id, _LINK, _COPY)
        return h5py.h5d.open(root, path.encode("utf-8", "surrogateescape"))

    @cached_property
    def _entries(self) -> dict[str, str]:
        """Path of each entry by its id."""
        return by_id(((_lesion(path), path) for paths in self._listed for path in paths), where=str(self.path))

    @cached_property
    def _listed(self) -> tuple[list[str], list[str]]:
        """Paths of what the file holds besides groups, and of its soft and external links."""
        paths: list[str] = []
        links: list[str] = []

        def note(name: bytes, info: h5py.h5l.LinkInfo) -> None:
            (paths if info.type == h5py.h5l.TYPE_HARD else links).append(name.decode("utf-8", "surrogateescape"))

        try:
            self._open().id.links.visit(note, info=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise InputError("a damaged HDF5 file", where=str(self.path), remedy="write it again") from error
        groups = {path.rpartition("/")[0] for path in (*paths, *links)}
        return [path for path in paths if path not in groups], links

    def close(self) -> None:
        """Close the file in this process."""
        if self._file is not None and self._process == os.getpid():
            self._file.close()
        self._file = None

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_file": None, "_process": 0}

    def _open(self) -> Any:  # noqa: ANN401 - h5py is untyped
        """This process's own handle: HDF5 handles must not be shared across a fork."""
        if self._file is None or self._process != os.getpid():
            try:
                self._file = h5py.File(self.path, "r")
            except OSError as error:
                raise InputError(
                    "not a readable HDF5 file" if self.path.is_file() else "no such file",
                    where=str(self.path),
                    remedy=_STORE,
                ) from error
            self._process = os.getpid()
            _bound_cache(self._file)
        return self._file

    def _content(self, isic_id: str, dataset: Any) -> Pixels:  # noqa: ANN401 - h5py is untyped
        """What a dataset holds, once it is known to be an image in this file, of a readable size."""
        storage, shape = dataset.get_create_plist(), dataset.shape
        if storage.get_layout() == h5py.h5d.VIRTUAL or storage.get_external_count():
            raise self._refuse(isic_id, "stored in other files (virtual dataset or external storage)", _COPY)
        if storage.get_layout() == h5py.h5d.CHUNKED:  # each chunk is unpacked whole
            check_size(isic_id, math.prod(storage.get_chunk()), where=self.path)
        if shape and dataset.dtype == np.uint8 and (len(shape) < 3 or (len(shape) == 3 and shape[2] == 3)):
            return self._numbers(isic_id, dataset)
        return self._string(isic_id, dataset)

    def _numbers(self, isic_id: str, dataset: Any) -> Pixels:  # noqa: ANN401 - h5py is untyped
        """Numbers from 0 to 255: the bytes of an image file, or pixels."""
        if len(dataset.shape) == 1:
            check_size(isic_id, dataset.shape[0], where=self.path)
        else:
            check_pixels(isic_id, dataset.shape[1], dataset.shape[0], where=self.path)
        value = np.empty(dataset.shape, np.uint8)
        dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, value)
        return value

    def _string(self, isic_id: str, dataset: Any) -> Pixels:  # noqa: ANN401 - h5py is untyped
        """The bytes of an image file as one string."""
        kind, shape = dataset.get_type(), dataset.shape
        text, opaque = isinstance(kind, h5py.h5t.TypeStringID), isinstance(kind, h5py.h5t.TypeOpaqueID)
        if shape != () or dataset.get_space().get_simple_extent_type() != h5py.h5s.SCALAR or not (text or opaque):
            raise self._refuse(isic_id, f"not one byte string, nor pixels (shape {shape}, type {dataset.dtype})")
        if text and kind.is_variable_str():
            # Ends at the first zero byte, so it can hold no image; bounded by the file's own size.
            raise self._refuse(isic_id, "text of variable length, which cannot hold an image")
        size = kind.get_size()
        # A string of fixed length is allocated whole, so its size is checked before it is read.
        check_size(isic_id, size, where=self.path)
        value = np.empty((), dtype=f"V{size}")
        dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, value, kind)
        # Strings are padded with zero bytes; JPEG and PNG end in other bytes.
        return np.frombuffer(value.tobytes().rstrip(b"\0") if text else value.tobytes(), np.uint8)

    def _refuse(self, isic_id: str, what: str, remedy: str = _STORE) -> CropError:
        return CropError(isic_id, what, where=str(self.path), remedy=remedy)


def _lesion(path: str) -> str:
    """The path that names the lesion: the entry's own, or its group's if it only says that it is an image."""
    group, _, name = path.rpartition("/")
    return group if group and name.lower() in _IMAGE else path


def _bound_cache(file: Any) -> None:  # noqa: ANN401 - h5py is untyped
    """Limit HDF5's cache of entry metadata to 1 MB: otherwise it grows to tens of MB with the crops read."""
    cache = file.id.get_mdc_config()
    cache.set_initial_size = True
    cache.initial_size = cache.min_size = cache.max_size = 2**20
    file.id.set_mdc_config(cache)
