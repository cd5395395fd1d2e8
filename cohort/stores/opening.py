"""Recognise what kind of image store a path is."""

from __future__ import annotations

from pathlib import Path

from cohort.stores import dicom, folder
from cohort.stores.hdf5 import Hdf5Store
from cohort.stores.protocol import DEFAULT_LIMITS, ImageStore, Limits
from engine.errors import InputError

_HDF5 = (".hdf5", ".h5", ".hdf")


def open_store(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> ImageStore:
    """The store at `path`: an HDF5 file, a folder of JPEG or PNG files, or a folder of DICOM files.

    Args:
        path: File or folder.
        limits: Largest crop that will be decoded.

    Raises:
        InputError: Nothing there, or nothing of these kinds, or a folder that mixes DICOM with JPEG or PNG.
    """
    path = Path(path)
    if path.is_file():
        if path.suffix.lower() not in _HDF5:
            raise InputError("not an image store", where=str(path), remedy=_KINDS)
        return Hdf5Store(path, limits=limits)
    if not path.is_dir():
        raise InputError("no such file or folder", where=str(path), remedy=_KINDS)
    suffixes = {entry.suffix.lower() for entry in path.iterdir()}
    plain, medical = suffixes & set(folder.SUFFIXES), suffixes & set(dicom.SUFFIXES)
    if plain and medical:
        raise InputError("DICOM files and JPEG or PNG files in one folder", where=str(path), remedy="keep one kind")
    if medical:
        return dicom.DicomStore(path, limits=limits)
    if plain:
        return folder.FolderStore(path, limits=limits)
    raise InputError("no images in this folder", where=str(path), remedy=_KINDS)


_KINDS = "give an HDF5 file, a folder of JPEG or PNG files, or a folder of DICOM files"
