"""Reading a lesion table of any known dataset, or a mapped one, into one canonical frame."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from cohort.canonical import canonical_order
from cohort.cells import CellError
from cohort.column import Column
from cohort.dataset import Dataset, DatasetName
from cohort.datasets import DATASETS
from cohort.duplicates import Policy, apply_duplicates, read_pairs
from cohort.findings import Check, Finding
from cohort.joined_tables import open_joined
from cohort.layouts import in_its_name
from cohort.mapping import Mapped, mapped
from cohort.odd_values import in_words
from cohort.official_files import companions, resolve_table
from cohort.recognising import absent, nearest, recognise, require_columns
from cohort.rows import read_rows
from cohort.tables import SourceTable
from engine.errors import InputError, shorten

UNKNOWN_COLUMNS = Check("UD111", "columns that are not known and were left out", "info")
ABSENT_COLUMNS = Check("UD115", "columns of the dataset that the table lacks", "warning")
NO_MAPPING: Mapped = {}


@dataclass(frozen=True)
class Cohort:
    """A lesion table in canonical form.

    Attributes:
        dataset: Which dataset it is, as in `cohort.dataset.Dataset.name`.
        frame: isic_id (String, unique), patient_id (String, no nulls), target (Int8 0 or 1, only if the table has
            labels), then the dataset's columns as `cohort.columns` describes them: numbers Float64 (finite or null),
            text String (null where missing). With duplicates kept together also `group` (String). Sorted by
            (patient_id, isic_id).
        given_order: isic_id in the order of the file, for outputs.
        columns: What each column of the frame is.
        findings: What reading left out or noticed: unknown and absent columns, rows without labels, duplicates.
        odd: For a table read with `odd="missing"`, unusable values: place, value, what they became.
    """

    dataset: DatasetName
    frame: pl.DataFrame
    given_order: pl.Series
    columns: tuple[Column, ...]
    findings: tuple[Finding, ...] = ()
    odd: tuple[str, ...] = ()


def read_cohort(
    path: Path,
    *,
    labels: Literal["required", "known", "optional"] = "optional",
    duplicates: Path | None = None,
    duplicate_policy: Policy = "drop",
    groups: Path | None = None,
    ungrouped: bool = False,
    only: Collection[str] | None = None,
    all_text: bool = True,
    odd: Literal["refuse", "missing"] = "refuse",
    columns: Mapped = NO_MAPPING,
    join: Sequence[Path] | None = None,
) -> Cohort:
    """Read and validate a lesion table; the dataset is recognised by its columns.

    Args:
        path: A CSV file (plain or gzip) or Parquet file, or a folder with a file under its official name.
        labels: "required" for training: a table without labels or with one class only is refused, and lesions without
            one are left out. "known" is the same but allows one class.
        duplicates: ISIC 2020 only: the list of duplicate pairs, ISIC_2020_Training_Duplicates.csv.
        duplicate_policy: "drop" keeps the copy with the smallest isic_id; "group" keeps all and adds `group`.
        groups: ISIC 2018 only: the lesion groupings or the HAM10000 metadata, which say which images show one lesion.
        ungrouped: If the table has no patients, every image counts as a patient of its own. Otherwise it has no
            effect.
        only: Canonical columns to read if present, besides ids, patients and labels, which are always read.
        all_text: Whether to read text that no model may see: licences, constants, what is known after a biopsy. The
            diagnosis that labels are compared with is always read, unless `only` leaves it out.
        odd: "missing" for lesions to score: unusable values count as missing, a lesion without a patient as a patient
            of its own, and wrong labels are left out.
        columns: What the table calls our columns, and further ones; see `cohort.mapping`.
        join: Tables whose columns are added; None for the official ones that lie next to it.

    Raises:
        InputError: Anything is wrong with the table; the message says what, where and how to fix it.
    """
    table = open_tables(path, join)
    dataset = recognise_table(table, ungrouped=ungrouped, only=only, columns=columns)
    _refuse_foreign_options(dataset, duplicates=duplicates, groups=groups)
    training = labels != "optional"
    if training:
        require_mapped(columns, dataset, table)
        require_labels(dataset, table)
        require_grouping(dataset, table, ungrouped=ungrouped)
    unread: list[CellError] | None = [] if odd == "missing" else None
    rows = read_rows(
        table,
        dataset,
        groups=groups,
        ungrouped=ungrouped,
        only=only,
        all_text=all_text,
        training=training,
        unread=unread,
    )
    said, refused = ([], rows.problems) if unread is None else in_words(unread, rows.problems, table)
    if refused:
        raise refused[0].error
    frame = rows.frame
    if labels == "required":
        _refuse_one_class(frame, table)
    findings = [unknown_columns(dataset, table), absent_columns(dataset, table, only), *rows.findings]
    if duplicates is not None:
        frame, noticed = apply_duplicates(frame, read_pairs(duplicates), duplicate_policy)
        findings.extend(noticed)
    return Cohort(dataset.name, *canonical_order(frame), rows.columns, tuple(findings), tuple(said))


def open_tables(path: Path, join: Sequence[Path] | None = None) -> SourceTable:
    """The table that `path` means, see `resolve_table`, with the columns of joined ones.

    Raises:
        InputError: A table cannot be opened or joined.
    """
    table = resolve_table(path)
    return open_joined(table, companions(table) if join is None else join)


def recognise_table(
    table: SourceTable, *, ungrouped: bool = False, only: Collection[str] | None = None, columns: Mapped = NO_MAPPING
) -> Dataset:
    """The dataset a table belongs to; see `cohort.recognising.require_columns`. With mapped ids it is "own".

    Raises:
        InputError: The columns are those of no known dataset, one that it needs is missing, or a name is misspelt.
    """
    _refuse_spaces(table)
    try:
        dataset = _published(table, columns)
        if dataset is None or columns:
            dataset = mapped(dataset, columns, table.header)
        require_columns(dataset, table.header, where=str(table.path), ungrouped=ungrouped, only=only)
    except InputError as error:
        raise in_its_name(error, table.header) from error
    return dataset


def _published(table: SourceTable, columns: Mapped) -> Dataset | None:
    """The published dataset a table belongs to; None for one whose ids are mapped."""
    key = columns.get("isic_id")
    if key is not None and key.column in table.header:
        return None
    try:
        return recognise(table.header, where=str(table.path))
    except InputError:
        if key is None:
            raise
        return None


def _refuse_spaces(table: SourceTable) -> None:
    """Refuse a known name with spaces around it, which spreadsheets do not show."""
    known = {field.source for dataset in DATASETS for field in dataset.fields}
    spaced = [name for name in table.header if name.strip() != name and name.strip() in known - set(table.header)]
    if spaced:
        raise InputError(
            f"there are spaces around column names: {shorten([repr(name) for name in spaced])}",
            where=str(table.path),
            remedy="write the names without spaces",
        )


def require_mapped(columns: Mapped, dataset: Dataset, table: SourceTable) -> None:
    """Refuse a training table that lacks a column of the mapping.

    Raises:
        InputError: It does.
    """
    sources = {field.source for field in dataset.fields}
    for name, source in columns.items():
        if source.column in sources and source.column not in table.header:
            near = nearest(source.column, dataset, table.header)
            raise InputError(
                f"there is no column {source.column}, which the mapping names for {name}{near}",
                where=str(table.path),
                remedy="write the name as the file does, or leave it out",
            )


def require_grouping(dataset: Dataset, table: SourceTable, *, ungrouped: bool) -> None:
    """Refuse a table that has no column by which its images could be kept together, though its dataset has one.

    Raises:
        InputError: It has none, and images are not read as ungrouped.
    """
    known = [dataset.source(name) for name in dataset.patients if name != "isic_id"]
    if known and not ungrouped and not set(known).intersection(table.header):
        error = InputError(
            f"column {known[-1]} is missing, so images of one lesion could not be kept together",
            where=str(table.path),
            remedy=f"{dataset.title} needs it: add it, or read the table as ungrouped",
        )
        raise in_its_name(error, table.header)


def require_labels(dataset: Dataset, table: SourceTable) -> None:
    """Refuse a table without labels.

    Raises:
        InputError: A label column is missing.
    """
    for name in dataset.label:
        if name not in table.header:
            error = InputError(
                f"there is no column {name}, so this is a test table{nearest(name, dataset, table.header)}",
                where=str(table.path),
                remedy="give a table with labels"
                + (f", or list the one that holds them ({dataset.truth}) under [data] join" if dataset.truth else ""),
            )
            raise in_its_name(error, table.header)


def unknown_columns(dataset: Dataset, table: SourceTable) -> Finding:
    """Which columns of the file are not the dataset's and were therefore left out."""
    known = {field.source for field in dataset.fields}
    unknown = [name for name in table.header if name not in known]
    where = table.path.name
    if not unknown:
        return UNKNOWN_COLUMNS.clear(f"all {len(table.header)} columns are known", where=where)
    return UNKNOWN_COLUMNS.found(f"{len(unknown)} left out: {shorten(unknown)}", where=where, columns=unknown)


def absent_columns(dataset: Dataset, table: SourceTable, only: Collection[str] | None = None) -> Finding:
    """Which of the columns that features come from are not in the file."""
    missing, where = absent(dataset, table.header, only), table.path.name
    if not missing:
        return ABSENT_COLUMNS.clear("none", where=where)
    hint = nearest(missing[0], dataset, table.header)
    return ABSENT_COLUMNS.found(f"{len(missing)}: {shorten(missing)}{hint}", where=where, columns=missing)


def varying_columns(cohort: Cohort) -> list[str]:
    """Columns that features may come from with more than one value; missing counts as one."""
    features = {column.name for column in cohort.columns if column.role in {"numeric", "category"}}
    frame = cohort.frame
    return [name for name in frame.columns if name in features and frame[name].n_unique() > 1]


def _refuse_one_class(frame: pl.DataFrame, table: SourceTable) -> None:
    classes = frame["target"].unique().to_list()
    if len(classes) == 1:
        raise InputError(
            f"all {len(frame)} lesions are {'malignant' if classes[0] else 'benign'}",
            where=f"{table.path}, target",
            remedy="training needs lesions of both classes",
        )


def _refuse_foreign_options(dataset: Dataset, *, duplicates: Path | None, groups: Path | None) -> None:
    if duplicates is not None and dataset.name != "isic2020":
        raise InputError(
            f"a list of duplicates was given, but the table is {dataset.title}",
            where=str(duplicates),
            remedy="leave the list out; it belongs to ISIC 2020",
        )
    if groups is not None and dataset.name != "isic2018":
        raise InputError(
            f"lesion groups were given, but the table is {dataset.title}",
            where=str(groups),
            remedy="leave them out; they belong to the ISIC 2018 ground truth",
        )
