"""Recognise what kind of image store a path is."""

from __future__ import annotations

from pathlib import Path

import h5py

from cohort.stores.dicom import DicomStore
from cohort.stores.folder import FolderStore, files_below
from cohort.stores.hdf5 import Hdf5Store
from cohort.stores.protocol import ImageStore
from engine.errors import InputError

_HDF5 = (".hdf5", ".h5", ".hdf")


def open_store(path: Path) -> ImageStore:
    """The store at `path`: an HDF5 file, a folder of JPEG or PNG files, or a folder of DICOM files.

    Raises:
        InputError: Nothing there, or nothing of these kinds, or a folder that mixes DICOM with JPEG or PNG.
    """
    path = Path(path)
    if path.is_file():
        if path.suffix.lower() not in _HDF5 and not h5py.is_hdf5(path):
            raise InputError("not an image store", where=str(path), remedy=_KINDS)
        return Hdf5Store(path)
    if not path.is_dir():
        raise InputError("no such file or folder", where=str(path), remedy=_KINDS)
    suffixes = {file.suffix.lower() for file in files_below(path)}
    plain, medical = suffixes.intersection(FolderStore.suffixes), suffixes.intersection(DicomStore.suffixes)
    if plain and medical:
        raise InputError("DICOM files and JPEG or PNG files in one folder", where=str(path), remedy="keep one kind")
    if medical:
        return DicomStore(path)
    if plain:
        return FolderStore(path)
    raise InputError("no images in this folder", where=str(path), remedy=_KINDS)


_KINDS = "give an HDF5 file, a folder of JPEG or PNG files, or a folder of DICOM files"
