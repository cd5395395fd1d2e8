"""The official file names of the known datasets, looked for in a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from cohort.datasets import DATASETS
from engine.errors import InputError

_SUFFIXES = (".csv", ".csv.gz", ".parquet", "")
DUPLICATES_NAME = "ISIC_2020_Training_Duplicates"
GROUPS_NAMES = ("ISIC2018_Task3_Training_LesionGroupings", "HAM10000_metadata")

#: A name that says nothing: it counts only if there is no other official table.
_ANY = "metadata"
#: Official tables of the same lesions, by patterns of their names: if the first is read, the others are joined.
_TOGETHER = (
    (_ANY, r"ISIC_2024_(Permissive_)?Training_GroundTruth", r"ISIC_2024_(Permissive_)?Training_Supplement"),
    (r"ISIC_2019_Training_Metadata", r"ISIC_2019_Training_GroundTruth"),
    (r"ISIC_2019_Test_Metadata", r"ISIC_2019_Test_GroundTruth"),
    (r"MILK10k_Training_Metadata", r"MILK10k_Training_GroundTruth", r"MILK10k_Training_Supplement"),
)


def companions(table: Path) -> tuple[Path, ...]:
    """The official files with more about the lesions of `table`, next to it or, for ISIC 2024, one folder up.

    Files are recognised by name; a table with any other name has none.
    """
    for first, *others in _TOGETHER:
        if re.fullmatch(first, _stem(table.name)):
            folders = (table.parent, table.parent.parent) if first == _ANY else (table.parent,)
            listed = [(folder, _names(folder)) for folder in folders]
            found = [_first_match(listed, other) for other in others]
            return tuple(path for path in found if path is not None)
    return ()


def _names(folder: Path) -> list[str]:
    """Names of a folder's files, and no more: next to a table there may be 400,000 crops."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return []


def _first_match(listed: Iterable[tuple[Path, list[str]]], pattern: str) -> Path | None:
    paths = (folder / name for folder, names in listed for name in names if re.fullmatch(pattern, _stem(name)))
    return next((path for path in paths if path.is_file()), None)


def _stem(name: str) -> str:
    return name.removesuffix(".gz").removesuffix(".csv").removesuffix(".parquet")


def find_file(folder: Path, stem: str) -> Path | None:
    """The file of this name in `folder`: CSV, gzipped CSV, Parquet or without a suffix; None if there is none."""
    return next((path for suffix in _SUFFIXES if (path := folder / f"{stem}{suffix}").is_file()), None)


def official_tables(folder: Path) -> dict[str, Path]:
    """All official tables in `folder`: name without suffix, to path, in order of preference."""
    stems = [stem for dataset in DATASETS for stem in dataset.files]
    found = {stem: path for stem in stems if (path := find_file(folder, stem)) is not None}
    if len(found) > 1:
        found.pop(_ANY, None)
    return found


def resolve_table(path: Path) -> Path:
    """The table that `path` means: a file itself; in a folder, the official table of its only dataset.

    For SLICE-3D, train comes before test; for ISIC 2020, version 2 before version 1.

    Raises:
        InputError: The folder holds no official table, or those of several datasets.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    tables = official_tables(path)
    found: dict[Path, str] = {}
    for dataset in DATASETS:
        first = next((tables[stem] for stem in dataset.files if stem in tables), None)
        if first is not None:
            found.setdefault(first, dataset.title)
    if not found:
        names = ", ".join(f"{stem}.csv" for stem in dict.fromkeys(one.files[0] for one in DATASETS if one.files))
        raise InputError(
            "no known table in this folder", where=str(path), remedy=f"name the file, or put one of {names} here"
        )
    if len(found) > 1:
        names = ", ".join(found.values())
        raise InputError(f"tables of several datasets in one folder ({names})", where=str(path), remedy="name the file")
    return next(iter(found))
