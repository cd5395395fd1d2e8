"""From a table as its file spells it to the canonical columns: names, units, gaps, diagnosis, target, patient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from cohort.cells import CONTROL, ROW, shown, word_by_word
from cohort.dataset import Dataset, Field, Labels
from cohort.lesion_groups import group_by_lesion
from cohort.tables import SourceTable
from engine.errors import InputError

_FIRST = ("isic_id", "patient_id", "target")
_NOT_STATED = ("unknown", "unk")
FILE_SUFFIX = r"(?i)\.(jpe?g|png|dcm|dicom|tiff?|bmp|webp)$"
"""Suffix of an id that is an image file's name."""


def canonical_frame(
    raw: pl.DataFrame,
    fields: Sequence[Field],
    dataset: Dataset,
    table: SourceTable,
    *,
    groups: Path | None,
    ungrouped: bool,
    strict: bool = True,
) -> pl.DataFrame:
    """Rename, scale, blank out "unknown" categories, and derive what the dataset leaves implicit.

    Args:
        raw: `ROW` and the sources of `fields`; emptied, since the largest tables fit into memory only once.
        fields: What was read.
        dataset: The table's dataset.
        table: The file, for places in messages.
        groups: Lesion groupings for the ISIC 2018 ground truth.
        ungrouped: Whether every image is its own patient if the table has none.
        strict: Refuse a diagnosis that gives no label; otherwise the row has none.

    Returns:
        `ROW`, then the canonical columns, isic_id, patient_id and target (Float64, null where the diagnosis says
        neither) first, in the file's order.

    Raises:
        InputError: A diagnosis is missing or unknown; the one-hot columns do not name one diagnosis; lesion
            groups are missing.
    """
    frame = pl.DataFrame([raw[ROW], *_canonical_columns(raw, fields, dataset)])
    if dataset.labels is not None and set(dataset.labels.columns) <= set(frame.columns):
        frame = _with_target(frame, dataset.labels, dataset, table, strict=strict)
    frame = _with_patient(frame, dataset, groups=groups, ungrouped=ungrouped, where=str(table.path))
    first = [name for name in _FIRST if name in frame.columns]
    return frame.select(ROW, *first, pl.exclude(ROW, *first))


def canonical_order(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Rows sorted by (patient_id, isic_id), by bytes, whatever their order in the file.

    Args:
        frame: The rows; emptied, as in `canonical_frame`.

    Returns:
        The sorted rows, and isic_id in the original order.
    """
    given, rows = frame["isic_id"], frame.select(pl.arg_sort_by("patient_id", "isic_id")).to_series()
    return pl.DataFrame([frame.drop_in_place(name).gather(rows) for name in frame.columns]), given


def _canonical_columns(raw: pl.DataFrame, fields: Sequence[Field], dataset: Dataset) -> Iterator[pl.Series]:
    for place, field in enumerate(fields):
        change = partial(_changed, value=_canonical(field, dataset))
        given = raw[field.source]
        changed = word_by_word(given, change) if field.column.role == "category" else change(given)
        yield changed.alias(field.column.name)
        if all(later.source != field.source for later in fields[place + 1 :]):
            raw.drop_in_place(field.source)


def _changed(given: pl.Series, value: pl.Expr) -> pl.Series:
    return given.to_frame().select(value).to_series()


def _canonical(field: Field, dataset: Dataset) -> pl.Expr:
    value = pl.col(field.source)
    if field.times != 1:
        value = value * field.times
    if field.column.role == "key" and dataset.ids_are_files:
        value = value.str.replace(FILE_SUFFIX, "")
    if field.column.role == "category":
        # Control characters do not belong in one: it is shown on terminals and pages.
        value = value.str.replace_all(f"[{CONTROL}]", "\ufffd")
        # What the vendor, HAM10000 and PAD-UFES-20 write for missing.
        value = pl.when(~value.str.to_lowercase().is_in(_NOT_STATED)).then(value)
    return value.alias(field.column.name)


def _with_target(
    frame: pl.DataFrame, labels: Labels, dataset: Dataset, table: SourceTable, *, strict: bool
) -> pl.DataFrame:
    if labels.is_one_hot:
        frame = _one_hot_diagnosis(frame, labels, table, strict=strict)
    name = "diagnosis" if labels.is_one_hot else labels.columns[0]
    said = pl.col(name).str.to_lowercase().fill_null("")
    known = [*labels.malignant, *labels.benign, *labels.unknown]
    wrong = (said == "") & ("" not in known) | bool(labels.benign) & ~said.is_in(known)
    bad = frame.filter(wrong)
    if len(bad) and strict:
        listed = ", ".join(sorted(filter(None, known if labels.benign else labels.malignant)))
        raise InputError(
            f"the diagnosis {shown(bad[name][0])} is not one of {listed}",
            where=table.place(bad[ROW][0], dataset.source(name)),
            remedy="give every image its diagnosis, or leave the whole column out of a test table",
        )
    malignant = said.is_in(labels.malignant).cast(pl.Float64)
    plain = [pl.col(name).str.to_lowercase()] if name == "diagnosis" else []
    return frame.with_columns(*plain, target=pl.when(~(wrong | said.is_in(labels.unknown))).then(malignant))


def _one_hot_diagnosis(frame: pl.DataFrame, labels: Labels, table: SourceTable, *, strict: bool) -> pl.DataFrame:
    columns = list(labels.columns)
    valid = pl.all_horizontal(pl.col(columns).is_in([0.0, 1.0])) & (pl.sum_horizontal(columns) == 1)
    bad = frame.filter(~valid.fill_null(value=False))
    if len(bad) and strict:
        raise InputError(
            f"the diagnosis of image {shown(bad['isic_id'][0])} is not exactly one 1 among 0s",
            where=table.place(bad[ROW][0]),
            remedy="use the official ground truth, not predicted probabilities",
        )
    named = pl.coalesce(pl.when(valid & (pl.col(name) == 1)).then(pl.lit(name.lower())) for name in columns)
    return frame.with_columns(diagnosis=named).drop(columns)


def _with_patient(
    frame: pl.DataFrame, dataset: Dataset, *, groups: Path | None, ungrouped: bool, where: str
) -> pl.DataFrame:
    instead = [name for name in dataset.patients if name in frame.columns]
    if instead:
        return frame.with_columns(patient_id=pl.coalesce(instead))
    if "patient_id" in frame.columns:
        return frame
    if ungrouped and groups is None:
        return frame.with_columns(patient_id="isic_id")
    return group_by_lesion(frame, groups, where=where)
