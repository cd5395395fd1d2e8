"""Everything `uglyduck check` asks about data: a table, or a folder with the official files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from cohort.checking.folder import check_pair
from cohort.checking.images import check_crops
from cohort.checking.table import UNREADABLE, Companions, check_table
from cohort.findings import Finding
from cohort.mapping import Mapped
from cohort.official_files import DUPLICATES_NAME, GROUPS_NAMES, find_file, official_tables, resolve_table
from cohort.reading import NO_MAPPING, Cohort
from engine.errors import InputError


def check_data(
    path: Path,
    *,
    duplicates: Path | None = None,
    groups: Path | None = None,
    ungrouped: bool = False,
    columns: Mapped = NO_MAPPING,
    join: Sequence[Path] | None = None,
) -> list[Finding]:
    """Check a table or a folder of official files.

    Args:
        path: A lesion table, or a folder. In a folder every official table is checked, then how the files fit
            together: train and test, the sample submission, the crops. A list of duplicates and lesion groups there
            under their official names are used.
        duplicates: As in `cohort.reading.read_cohort`.
        groups: As in `cohort.reading.read_cohort`.
        ungrouped: As in `cohort.reading.read_cohort`.
        columns: As in `cohort.reading.read_cohort`.
        join: As in `cohort.reading.read_cohort`.

    Returns:
        Findings in a fixed order: per table by code, then those about the folder. What is wrong with the data is a
        finding, not an exception.
    """
    path, given = Path(path), Companions(duplicates, groups, ungrouped, columns, join)
    return list(_check_folder(path, given)) if path.is_dir() else check_table(path, given, training=True)[0]


def _check_folder(folder: Path, given: Companions) -> Iterator[Finding]:
    tables = official_tables(folder)
    if not tables:
        yield _no_table(folder)
        return
    companions = Companions(
        duplicates=given.duplicates or find_file(folder, DUPLICATES_NAME),
        groups=given.groups or next((path for name in GROUPS_NAMES if (path := find_file(folder, name))), None),
        ungrouped=given.ungrouped,
        columns=given.columns,
        join=given.join,
    )
    cohorts: dict[str, Cohort | None] = {}
    for stem, path in tables.items():
        findings, cohorts[stem] = check_table(path, companions)
        yield from findings
    train, test = cohorts.get("train-metadata"), cohorts.get("test-metadata")
    if {"train-metadata", "test-metadata"}.intersection(tables):
        yield from check_pair(folder, train, test)
    yield from check_crops(folder / "train-image.hdf5", train or next(iter(cohorts.values())))
    yield from check_crops(folder / "test-image.hdf5", test)


def _no_table(folder: Path) -> Finding:
    try:
        resolve_table(folder)
    except InputError as error:
        return UNREADABLE.found(str(error), where=folder.name)
    return UNREADABLE.clear("", where=folder.name)
