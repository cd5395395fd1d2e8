"""The official file names of the known datasets, looked for in a folder."""

from __future__ import annotations

from pathlib import Path

from cohort.datasets import DATASETS, Dataset
from engine.errors import InputError

_SUFFIXES = (".csv", ".csv.gz", ".parquet", "")
DUPLICATES_NAME = "ISIC_2020_Training_Duplicates"
GROUPS_NAMES = ("ISIC2018_Task3_Training_LesionGroupings", "HAM10000_metadata")


def find_file(folder: Path, stem: str) -> Path | None:
    """The file of this name in `folder`: CSV, packed CSV, Parquet or without a suffix; None where there is none."""
    return next((path for suffix in _SUFFIXES if (path := folder / f"{stem}{suffix}").is_file()), None)


def official_tables(folder: Path) -> dict[str, Path]:
    """All official tables in `folder`: name without suffix, to path, in order of preference."""
    stems = [stem for dataset in DATASETS for stem in dataset.files]
    found = {stem: find_file(folder, stem) for stem in stems}
    return {stem: path for stem, path in found.items() if path is not None}


def resolve_table(path: Path) -> Path:
    """The table that `path` means: a file itself; in a folder, the official table of its only dataset.

    Of SLICE-3D the train table comes before the test table, of ISIC 2020 version 2 before version 1.

    Raises:
        InputError: The folder holds no official table, or those of several datasets.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    tables = official_tables(path)
    datasets = [dataset for dataset in DATASETS if any(stem in tables for stem in dataset.files)]
    if not datasets:
        names = ", ".join(f"{dataset.files[0]}.csv" for dataset in DATASETS)
        raise InputError(
            "no known table in this folder", where=str(path), remedy=f"name the file, or put one of {names} here"
        )
    if len(datasets) > 1:
        raise InputError(
            f"tables of several datasets in one folder ({_names(datasets)})", where=str(path), remedy="name the file"
        )
    return next(iter(tables.values()))


def _names(datasets: list[Dataset]) -> str:
    return ", ".join(dataset.title for dataset in datasets)
