"""Reads a Parquet table a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import InputError


def open_parquet(path: Path, *needed: str) -> pq.ParquetFile:
    """A Parquet file opened for reading in batches.

    Args:
        path: The file.
        needed: Columns that it must have.

    Raises:
        InputError: The file cannot be read, or lacks a needed column.
    """
    try:
        # Buffering ahead keeps what it read until the file is closed.
        file = pq.ParquetFile(path, pre_buffer=False)
    except FileNotFoundError as error:
        raise InputError("no such file", where=str(path), remedy="check the path") from error
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError("not a Parquet file", where=str(path), remedy="write it as Parquet") from error
    for name in needed:
        if name not in file.schema_arrow.names:
            raise InputError(f"no column {name!r}", where=str(path), remedy="write the table with this column")
    return file


def schema_of(file: pq.ParquetFile) -> pl.Schema:
    """Names and polars types of the columns."""
    return frame_of(file.schema_arrow.empty_table()).schema


def batches(file: pq.ParquetFile, columns: Sequence[str], rows: int) -> Iterator[pl.DataFrame]:
    """The table in the order of the file, in frames of at most `rows` rows, with some of its columns."""
    return (frame_of(batch) for batch in file.iter_batches(rows, columns=list(columns)))


def frame_of(table: pa.Table | pa.RecordBatch) -> pl.DataFrame:
    """An arrow table as a frame."""
    frame = pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame):
        message = "an arrow table is a frame"
        raise TypeError(message)
    return frame
