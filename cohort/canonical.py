"""From a table as its file spells it to the canonical columns: names, missing values, diagnosis, target, patient."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cohort.cells import ROW, shown
from cohort.columns import ONE_HOT
from cohort.datasets import Dataset
from cohort.lesion_groups import group_by_lesion
from cohort.tables import SourceTable
from engine.errors import InputError

DIAGNOSES = tuple(sorted(name.lower() for name in ONE_HOT))
"""The 7 diagnoses of HAM10000 and ISIC 2018."""
MALIGNANT = ("akiec", "bcc", "mel")
"""Those of them that count as malignant: actinic keratosis or Bowen's disease, basal cell carcinoma, melanoma."""
_FIRST = ("isic_id", "patient_id", "target")


def canonical_frame(
    raw: pl.DataFrame, dataset: Dataset, table: SourceTable, *, groups: Path | None, ungrouped: bool
) -> pl.DataFrame:
    """Rename, blank out "unknown" categories, and derive what the dataset leaves implicit.

    Args:
        raw: `ROW` and the dataset's fields under their names in the file.
        dataset: Whose table it is.
        table: The file, for places in messages.
        groups: Lesion groupings for the ISIC 2018 ground truth.
        ungrouped: Whether every image is its own patient where the table holds none.

    Returns:
        `ROW`, then the canonical columns, isic_id, patient_id and target (Float64) first, in the file's order.

    Raises:
        InputError: A diagnosis is missing or not one of the 7; the one-hot columns do not name one diagnosis; lesion
            groups are missing.
    """
    names = {field.source: field.column.name for field in dataset.fields if field.source in raw.columns}
    frame = raw.rename(names)
    frame = frame.with_columns(
        _known(field.column.name) for field in dataset.fields if _is_category(field.column.name, frame, dataset)
    )
    if dataset.name == "isic2018":
        frame = _one_hot_diagnosis(frame, table)
    if dataset.name in {"isic2018", "ham10000"} and "diagnosis" in frame.columns:
        frame = _target_of_diagnosis(frame, dataset, table)
    if "patient_id" not in frame.columns:
        alone = ungrouped and groups is None
        frame = (
            frame.with_columns(patient_id="isic_id") if alone else group_by_lesion(frame, groups, where=str(table.path))
        )
    first = [name for name in _FIRST if name in frame.columns]
    return frame.select(ROW, *first, pl.exclude(ROW, *first))


def canonical_order(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows sorted by (patient_id, isic_id), by bytes, whatever their order in the file."""
    return frame.sort("patient_id", "isic_id")


def _is_category(name: str, frame: pl.DataFrame, dataset: Dataset) -> bool:
    return name in frame.columns and any(
        column.name == name and column.role == "category" for column in dataset.columns
    )


def _known(name: str) -> pl.Expr:
    """A category with "unknown", in any case, as null: what the vendor and HAM10000 write for missing."""
    return pl.when(pl.col(name).str.to_lowercase() != "unknown").then(pl.col(name)).alias(name)


def _one_hot_diagnosis(frame: pl.DataFrame, table: SourceTable) -> pl.DataFrame:
    columns = list(ONE_HOT)
    valid = pl.all_horizontal(pl.col(columns).is_in([0.0, 1.0])) & (pl.sum_horizontal(columns) == 1)
    bad = frame.filter(~valid.fill_null(value=False))
    if len(bad):
        raise InputError(
            f"the diagnosis of image {shown(bad['isic_id'][0])} is not exactly one 1 among 0s",
            where=table.place(bad[ROW][0]),
            remedy="use the official ground truth, not predicted probabilities",
        )
    named = pl.coalesce(pl.when(pl.col(name) == 1).then(pl.lit(name.lower())) for name in columns)
    return frame.with_columns(diagnosis=named).drop(columns)


def _target_of_diagnosis(frame: pl.DataFrame, dataset: Dataset, table: SourceTable) -> pl.DataFrame:
    bad = frame.filter(~pl.col("diagnosis").is_in(DIAGNOSES).fill_null(value=False))
    if len(bad):
        raise InputError(
            f"the diagnosis {shown(bad['diagnosis'][0])} is not one of {', '.join(DIAGNOSES)}",
            where=table.place(bad[ROW][0], dataset.source("diagnosis")),
            remedy="give every image its diagnosis, or leave the whole column out of a test table",
        )
    return frame.with_columns(target=pl.col("diagnosis").is_in(MALIGNANT).cast(pl.Float64))
