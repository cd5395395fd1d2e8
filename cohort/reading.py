"""Reading a lesion table of any known dataset into one canonical frame."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from cohort.canonical import canonical_frame, canonical_order
from cohort.cells import ROW, CellError
from cohort.datasets import DATASETS, Dataset, DatasetName, Field, absent, nearest, recognise, require_columns, shorten
from cohort.duplicates import Policy, apply_duplicates, read_pairs
from cohort.findings import Check, Finding
from cohort.layouts import in_its_name
from cohort.odd_values import as_missing, in_words
from cohort.official_files import resolve_table
from cohort.tables import SourceTable, open_table
from cohort.validation import TableProblem, find_problems
from engine.errors import InputError

UNKNOWN_COLUMNS = Check("UD111", "columns that are not known and were left out", "info")
ABSENT_COLUMNS = Check("UD115", "columns of the dataset that the table lacks", "warning")
_ALWAYS = frozenset({"key", "patient", "label"})


@dataclass(frozen=True)
class Cohort:
    """A lesion table in canonical form.

    Attributes:
        dataset: Which dataset it is: "slice3d", "isic2020", "isic2018" or "ham10000".
        frame: isic_id (String, unique), patient_id (String, no nulls), target (Int8 0 or 1, only if the table has
            labels), then the dataset's columns as `cohort.columns` describes them: numbers Float64 (finite or null),
            text String (null where missing). With duplicates kept together also `group` (String). Sorted by
            (patient_id, isic_id).
        given_order: isic_id in the order of the file, for outputs.
        findings: What reading left out or noticed: unknown and absent columns, duplicates.
        odd: Of a table read with `odd="missing"`, what cannot be used: place, value, and what becomes of it.
    """

    dataset: DatasetName
    frame: pl.DataFrame
    given_order: pl.Series
    findings: tuple[Finding, ...] = ()
    odd: tuple[str, ...] = ()


def read_cohort(
    path: Path,
    *,
    labels: Literal["required", "optional"] = "optional",
    duplicates: Path | None = None,
    duplicate_policy: Policy = "drop",
    groups: Path | None = None,
    ungrouped: bool = False,
    only: Collection[str] | None = None,
    odd: Literal["refuse", "missing"] = "refuse",
) -> Cohort:
    """Read and validate a lesion table; the dataset is recognised by its columns.

    Args:
        path: A CSV file (plain or gzip) or Parquet file, or a folder with a file under its official name.
        labels: "required" for training: a table without labels or with one class only is refused.
        duplicates: ISIC 2020 only: the list of duplicate pairs, ISIC_2020_Training_Duplicates.csv.
        duplicate_policy: "drop" keeps the copy with the smallest isic_id; "group" keeps all and adds `group`.
        groups: ISIC 2018 only: the lesion groupings or the HAM10000 metadata, which say what images show one lesion.
        ungrouped: Where the table holds no patient, every image counts as a patient of its own. Without effect where
            the table has its patients.
        only: Canonical columns to read where they are there, besides ids, patients and labels, which always are.
        odd: "missing" for lesions to score: a value that cannot be used counts as missing, a lesion without a patient
            as one of a patient of its own, and labels that are wrong are left out.

    Raises:
        InputError: Anything is wrong with the table; the message says what, where and how to fix it.
    """
    table = open_table(resolve_table(path))
    dataset = recognise_table(table, ungrouped=ungrouped, only=only)
    _refuse_foreign_options(dataset, duplicates=duplicates, groups=groups)
    if labels == "required":
        require_labels(dataset, table)
    unread: list[CellError] | None = [] if odd == "missing" else None
    frame, problems = read_rows(table, dataset, groups=groups, ungrouped=ungrouped, only=only, unread=unread)
    said, refused = ([], problems) if unread is None else in_words(unread, problems, table)
    if refused:
        raise refused[0].error
    if labels == "required":
        _refuse_one_class(frame, table)
    findings = [unknown_columns(dataset, table), absent_columns(dataset, table, only)]
    if duplicates is not None:
        frame, noticed = apply_duplicates(frame, read_pairs(duplicates), duplicate_policy)
        findings.extend(noticed)
    return Cohort(dataset.name, canonical_order(frame), frame["isic_id"], tuple(findings), tuple(said))


def recognise_table(table: SourceTable, *, ungrouped: bool = False, only: Collection[str] | None = None) -> Dataset:
    """The dataset a table belongs to; see `cohort.datasets.require_columns`.

    Raises:
        InputError: The columns are those of no known dataset, one that it needs is missing, or a name is misspelt.
    """
    _refuse_spaces(table)
    try:
        dataset = recognise(table.header, where=str(table.path))
        require_columns(dataset, table.header, where=str(table.path), ungrouped=ungrouped, only=only)
    except InputError as error:
        raise in_its_name(error, table.header) from error
    return dataset


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


def read_rows(
    table: SourceTable,
    dataset: Dataset,
    *,
    groups: Path | None,
    ungrouped: bool,
    only: Collection[str] | None = None,
    unread: list[CellError] | None = None,
) -> tuple[pl.DataFrame, list[TableProblem]]:
    """The canonical rows of a table in the file's order, and every rule they break.

    Of the columns that are not keys, patients or labels, those in `only` are read; all by default. With problems there
    are no rows; with `unread`, which takes in the cells that cannot be read, what breaks a rule is missing in them.

    Raises:
        InputError: Without `unread`, a cell cannot be read as its column's type; or there are no rows.
    """
    fields = [field for field in dataset.fields if field.source in table.header and _is_read(field, dataset, only)]
    raw = table.read(
        {field.source: pl.String() if field.column.dtype == pl.String else pl.Float64() for field in fields}, unread
    )
    if not len(raw):
        raise InputError("a header and no rows", where=str(table.path), remedy="download or write the file again")
    frame = canonical_frame(raw, dataset, table, groups=groups, ungrouped=ungrouped)
    columns = tuple(column for column in dataset.columns if column.name in frame.columns)
    problems = find_problems(frame, columns, dataset, table)
    if problems and unread is None:
        return frame.clear(), problems
    frame = as_missing(frame, problems) if problems else frame
    labelled = [pl.col("target").cast(pl.Int8)] if "target" in frame.columns else []
    return frame.drop(ROW).with_columns(labelled), problems


def _is_read(field: Field, dataset: Dataset, only: Collection[str] | None) -> bool:
    always = field.column.role in _ALWAYS or field.source in dataset.label
    return only is None or always or field.column.name in only


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
                remedy="give a table with labels, such as train-metadata.csv",
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
    """The columns that features may come from and that hold more than one value; missing counts as one."""
    dataset = next(dataset for dataset in DATASETS if dataset.name == cohort.dataset)
    features = {column.name for column in dataset.columns if column.role in {"numeric", "category"}}
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
