"""Cuts a table of lesions into blocks of whole patients, in memory or as it is read from Parquet."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.frames import ID
from cohort.parquet_batches import batches, open_parquet
from engine.errors import InputError

PATIENT = "patient_id"
"""Column of the patient; with `isic_id` the key that a canonical table is sorted by."""


def whole_patients(frame: pl.DataFrame, rows: int) -> Iterator[pl.DataFrame]:
    """Cut a table into blocks of whole patients, without a copy.

    Args:
        frame: Lesions, each patient's together.
        rows: Minimum rows of a block, 1 or more; only the last may have fewer.

    Yields:
        The blocks, in the order of the table; none if it is empty.
    """
    for begin, end in cuts(frame[PATIENT], rows):
        yield frame.slice(begin, end - begin)


def cuts(patient: pl.Series, rows: int) -> Iterator[tuple[int, int]]:
    """First row of each block that `whole_patients` gives, and the row after its last."""
    begin = 0
    for end in [*first_rows(patient)[1:].tolist(), patient.len()]:
        if end - begin >= rows or begin < end == patient.len():
            yield begin, end
            begin = end


def first_rows(patient: pl.Series) -> NDArray[np.intp]:
    """The first row of each patient in a column (n,) where each patient's rows are together."""
    if patient.is_empty():
        return np.zeros(0, dtype=np.intp)
    changes = (patient.slice(1) != patient.head(patient.len() - 1)).to_numpy()
    return np.flatnonzero(np.append(True, changes))


def read_whole_patients(table: Path, rows: int, columns: Collection[str] | None = None) -> Iterator[pl.DataFrame]:
    """Read a canonical Parquet table in blocks of whole patients, holding little more than one block.

    Args:
        table: Lesions sorted by (patient_id, isic_id).
        rows: Minimum rows of a block, 1 or more; only the last may have fewer.
        columns: Columns to read with the two keys, if the table has them; all by default.

    Yields:
        The blocks, in the order of the table; none if it is empty.

    Raises:
        InputError: The file cannot be read, lacks a key, or is not sorted by the keys.
    """
    file = open_parquet(table, PATIENT, ID)
    wanted = [name for name in file.schema_arrow.names if columns is None or name in {PATIENT, ID, *columns}]
    waiting: pl.DataFrame | None = None
    for batch in batches(file, wanted, -(-rows // 4)):
        _check_order(batch if waiting is None else pl.concat([waiting.tail(1), batch]), table)
        waiting = batch if waiting is None else pl.concat([waiting, batch])
        last = int(first_rows(waiting[PATIENT])[-1])
        if last >= rows:
            yield waiting.slice(0, last).rechunk()
            waiting = waiting.slice(last)
    if waiting is not None:
        yield waiting.rechunk()


def _check_order(frame: pl.DataFrame, table: Path) -> None:
    before, after = frame.head(frame.height - 1), frame.slice(1)
    same = before[PATIENT] == after[PATIENT]
    ordered = (before[PATIENT] < after[PATIENT]) | (same & (before[ID] < after[ID]))
    if frame.select(PATIENT, ID).null_count().sum_horizontal().item() or not ordered.all():
        raise InputError(
            "rows are not sorted by patient_id and isic_id, or a lesion occurs twice",
            where=str(table),
            remedy="write the table that `cohort.reading.read_cohort` gives",
        )
