"""The official HDF5 layout: one scalar byte-string dataset of JPEG per isic_id, at the root of the file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py

from cohort.errors import InputError
from cohort.stores.decoding import check_size, decode
from cohort.stores.protocol import DEFAULT_LIMITS, Crop, CropError, Limits, is_id, require_id


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
            InputError: An entry's name can not be an isic_id.
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
        data = self._encoded(isic_id)
        pixels = decode(data, isic_id, limits=self._limits, where=self._path)
        return Crop(isic_id, pixels, len(data))

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
        return self._file

    def _encoded(self, isic_id: str) -> bytes:
        require_id(isic_id, self._path)
        file = self._open()
        try:
            # The low-level call: `get(getlink=True)` looks the name up three times.
            link = file.id.links.get_info(isic_id.encode())
        except (KeyError, RuntimeError):
            raise self._refuse(isic_id, "no crop of this id") from None
        if link.type != h5py.h5l.TYPE_HARD:
            raise self._refuse(isic_id, "a soft or external link, which may lead out of the file")
        try:
            dataset = file[isic_id]
            self._check(isic_id, dataset)
            value = dataset[()]
        except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
            raise self._refuse(isic_id, "a damaged entry") from error
        # A fixed-length HDF5 string drops trailing zero bytes, an opaque one keeps them; JPEG and PNG end in others.
        data = bytes(value)
        check_size(isic_id, len(data), limits=self._limits, where=self._path)
        return data

    def _check(self, isic_id: str, dataset: Any) -> None:  # noqa: ANN401 - h5py is untyped
        if not isinstance(dataset, h5py.Dataset):
            raise self._refuse(isic_id, "a group, not a byte string")
        if dataset.is_virtual or dataset.external:
            raise self._refuse(isic_id, "stored in other files (virtual dataset or external storage)")
        text = h5py.check_string_dtype(dataset.dtype)
        if dataset.shape != () or (text is None and dataset.dtype.kind != "V") or dataset.dtype.names:
            raise self._refuse(isic_id, f"not one byte string (shape {dataset.shape}, type {dataset.dtype})")
        # A string of fixed length is allocated whole; one of variable length is bounded by the file's own size.
        check_size(isic_id, max(dataset.dtype.itemsize, 1), limits=self._limits, where=self._path)

    def _refuse(self, isic_id: str, what: str) -> CropError:
        return CropError(isic_id, what, where=str(self._path), remedy="store one JPEG byte string per isic_id")
