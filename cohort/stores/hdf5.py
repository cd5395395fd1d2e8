"""The official HDF5 layout: one scalar byte-string dataset of JPEG per isic_id, at the root of the file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cohort.stores.decoding import check_size, decode
from cohort.stores.protocol import DEFAULT_LIMITS, Crop, CropError, Limits, is_id, require_id
from engine.errors import InputError


class Hdf5Store:
    """Crops in one HDF5 file.

    An HDF5 file can point into other files (external links, external storage, virtual datasets) and at other places
    in itself (soft links). Such entries are refused: a crop is read from this file or not at all.
    """

    def __init__(self, path: Path, *, limits: Limits = DEFAULT_LIMITS) -> None:
        self._path = Path(path)
        self._limits = limits
        self._file: Any = None
        self._process = 0

    @property
    def path(self) -> Path:
        """The HDF5 file."""
        return self._path

    @cached_property
    def ids(self) -> Sequence[str]:
        """Names of the root's entries, ascending.

        Raises:
            InputError: An entry's name cannot be an isic_id.
        """
        names = sorted(self._open().keys())
        for name in names:
            if not is_id(name):
                raise InputError(
                    f"entry {name!r} is not named as an id", where=str(self._path), remedy="name entries by isic_id"
                )
        return names

    def read(self, isic_id: str) -> Crop:
        """Decode one crop; see `ImageStore.read`."""
        data = self.encoded(isic_id)
        pixels = decode(data, isic_id, limits=self._limits, where=self._path)
        return Crop(isic_id, pixels, len(data))

    def encoded(self, isic_id: str) -> bytes:
        """Its bytes; see `ImageStore.encoded`."""
        require_id(isic_id, self._path)
        root, name = self._open().id, isic_id.encode()
        # h5py's low-level calls: its mappings look the name up several times, which costs as much as decoding.
        try:
            link = root.links.get_info(name)
        except (KeyError, RuntimeError):
            raise self._refuse(isic_id, "no crop of this id") from None
        if link.type != h5py.h5l.TYPE_HARD:
            raise self._refuse(isic_id, "a soft or external link, which may lead out of the file")
        try:
            if h5py.h5o.get_info(root, name).type != h5py.h5o.TYPE_DATASET:
                raise self._refuse(isic_id, "a group, not a byte string")
            data = self._bytes(isic_id, h5py.h5d.open(root, name))
        except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
            raise self._refuse(isic_id, "a damaged entry") from error
        check_size(isic_id, len(data), limits=self._limits, where=self._path)
        return data

    def close(self) -> None:
        """Close the file in this process."""
        if self._file is not None and self._process == os.getpid():
            self._file.close()
        self._file = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_path": self._path, "_limits": self._limits, "_file": None, "_process": 0}

    def _open(self) -> Any:  # noqa: ANN401 - h5py is untyped
        """This process's own handle: HDF5 handles must not be shared across a fork."""
        if self._file is None or self._process != os.getpid():
            try:
                self._file = h5py.File(self._path, "r")
            except OSError as error:
                raise InputError(
                    "not a readable HDF5 file" if self._path.is_file() else "no such file",
                    where=str(self._path),
                    remedy="give an HDF5 file with one JPEG byte string per isic_id",
                ) from error
            self._process = os.getpid()
            _bound_cache(self._file)
        return self._file

    def _bytes(self, isic_id: str, dataset: Any) -> bytes:  # noqa: ANN401 - h5py is untyped
        """The content of a dataset, once it is known to be one byte string in this file."""
        storage = dataset.get_create_plist()
        if storage.get_layout() == h5py.h5d.VIRTUAL or storage.get_external_count():
            raise self._refuse(isic_id, "stored in other files (virtual dataset or external storage)")
        kind, shape = dataset.get_type(), dataset.shape
        text, opaque = isinstance(kind, h5py.h5t.TypeStringID), isinstance(kind, h5py.h5t.TypeOpaqueID)
        if shape != () or dataset.get_space().get_simple_extent_type() != h5py.h5s.SCALAR or not (text or opaque):
            raise self._refuse(isic_id, f"not one byte string (shape {shape}, type {dataset.dtype})")
        if text and kind.is_variable_str():
            # Ends at the first zero byte, so it can hold no image; bounded by the file's own size.
            raise self._refuse(isic_id, "text of variable length, which cannot hold an image")
        size = kind.get_size()
        # A string of fixed length is allocated whole, so its size is checked before it is read.
        check_size(isic_id, size, limits=self._limits, where=self._path)
        value = np.empty((), dtype=f"V{size}")
        dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, value, kind)
        # Strings are padded with zero bytes; JPEG and PNG end in others.
        return value.tobytes().rstrip(b"\0") if text else value.tobytes()

    def _refuse(self, isic_id: str, what: str) -> CropError:
        return CropError(isic_id, what, where=str(self._path), remedy="store one JPEG byte string per isic_id")


def _bound_cache(file: Any) -> None:  # noqa: ANN401 - h5py is untyped
    """Let HDF5 remember 1 MB of what it knows of entries: left alone that grows to tens of MB with the crops read."""
    cache = file.id.get_mdc_config()
    cache.set_initial_size = True
    cache.initial_size = cache.min_size = cache.max_size = 2**20
    file.id.set_mdc_config(cache)
