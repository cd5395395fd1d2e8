"""The rows of a table whose dataset is known, in canonical form, and every rule that they break."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cohort.canonical import canonical_frame
from cohort.cells import ROW, CellError
from cohort.column import Column
from cohort.dataset import Dataset
from cohort.findings import Check, Finding
from cohort.odd_values import as_missing
from cohort.rules import DIAGNOSES
from cohort.tables import SourceTable
from cohort.validation import TableProblem, find_problems
from engine.errors import InputError

UNGROUPED = Check("UD114", "images whose patient or lesion is not known", "warning")
HABITS = Check("UD116", "tables that are written or put together in another way than usual", "info")
UNLABELLED = Check("UD117", "rows whose diagnosis gives no label", "warning")


@dataclass(frozen=True)
class Rows:
    """Rows that were read.

    Attributes:
        frame: In the order of the file; empty if there are problems that cannot be mended.
        columns: What each column of the frame is.
        problems: Every rule that they break.
        findings: What was noticed: UD114, UD116, UD117.
    """

    frame: pl.DataFrame
    columns: tuple[Column, ...]
    problems: tuple[TableProblem, ...]
    findings: tuple[Finding, ...] = ()


def read_rows(
    table: SourceTable,
    dataset: Dataset,
    *,
    groups: Path | None,
    ungrouped: bool,
    only: Collection[str] | None = None,
    all_text: bool = True,
    training: bool = False,
    unread: list[CellError] | None = None,
) -> Rows:
    """The canonical rows of a table.

    Args:
        table: The file.
        dataset: Its dataset.
        groups: See `cohort.reading.read_cohort`.
        ungrouped: See `cohort.reading.read_cohort`.
        only: Columns to read besides keys, patients and labels; all by default.
        all_text: See `cohort.reading.read_cohort`.
        training: Whether rows without a label are left out. Otherwise all rows stay, and if one has no label, no
            labels are used.
        unread: Collects the cells that cannot be read; what breaks a rule then counts as missing, and so do unknown
            labels.

    Raises:
        InputError: Without `unread`, a cell cannot be read as its column's type; or there are no rows.
    """
    wanted = (field for field in dataset.fields if field.source in table.header)
    fields = [field for field in wanted if _is_read(field.column, dataset, only, all_text=all_text)]
    raw = table.read(
        {field.source: pl.String() if field.column.dtype == pl.String else pl.Float64() for field in fields}, unread
    )
    if not len(raw):
        raise InputError("a header and no rows", where=str(table.path), remedy="download or write the file again")
    frame = canonical_frame(raw, fields, dataset, table, groups=groups, ungrouped=ungrouped, strict=unread is None)
    frame, unlabelled = _labelled(frame, dataset, table, training=training)
    columns = tuple(column for column in dataset.columns if column.name in frame.columns)
    problems = find_problems(frame, columns, dataset, table)
    if problems and unread is None:
        return Rows(frame.clear(), columns, tuple(problems))
    frame = as_missing(frame, problems) if problems else frame
    labels = [pl.col("target").cast(pl.Int8)] if "target" in frame.columns else []
    frame = frame.drop(ROW).with_columns(labels)
    return Rows(frame, columns, tuple(problems), (_ungrouped(frame, table), _habits(table), unlabelled))


def _is_read(column: Column, dataset: Dataset, only: Collection[str] | None, *, all_text: bool) -> bool:
    if column.name in dataset.always:
        return True
    if only is not None:
        return column.name in only
    return all_text or column.dtype != pl.String or column.role == "category" or column.name in DIAGNOSES


def _labelled(
    frame: pl.DataFrame, dataset: Dataset, table: SourceTable, *, training: bool
) -> tuple[pl.DataFrame, Finding]:
    where = table.path.name
    if "target" not in frame.columns:
        return frame, UNLABELLED.not_applicable("the table has no labels", where=where)
    without = frame["target"].null_count()
    if dataset.labels is None or not without:
        return frame, UNLABELLED.clear("none", where=where)
    if without == len(frame):
        return frame.drop("target"), UNLABELLED.not_applicable("no row has a label", where=where)
    measured = f"{without} of {len(frame)}: {'left out' if training else 'so labels are not used'}"
    kept = frame.filter(pl.col("target").is_not_null()) if training else frame.drop("target")
    return kept, UNLABELLED.found(measured, where=where, rows=without)


def _ungrouped(frame: pl.DataFrame, table: SourceTable) -> Finding:
    alone = int((frame["patient_id"] == frame["isic_id"]).sum())
    if not alone:
        return UNGROUPED.clear("none", where=table.path.name)
    measured = f"{alone} of {len(frame)}; each counts as a patient of its own"
    return UNGROUPED.found(measured, where=table.path.name, rows=alone)


def _habits(table: SourceTable) -> Finding:
    found, where = sorted(table.habits), table.path.name
    return HABITS.found(", ".join(found), where=where, habits=found) if found else HABITS.clear("none", where=where)
