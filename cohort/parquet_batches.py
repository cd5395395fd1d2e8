"""Reads Parquet tables with pyarrow: those written by others, and those of a run a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import InputError

DAMAGE = (OSError, UnicodeDecodeError, pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What reading a damaged Parquet file raises."""


def read_parquet(source: Path | bytes, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """A table written by others: a damaged one is an error here, while polars may end the whole process.

    Args:
        source: The file, or its content.
        columns: Which to read, in this order; None for all.

    Raises:
        OSError, pyarrow.ArrowException: See `DAMAGE`.
    """
    with _opened(source) as file:
        schema = file.schema_arrow
        if columns is not None:
            for name in columns:
                if (times := schema.names.count(name)) != 1:
                    message = f"column {name!r} stands {times} times"
                    raise pa.ArrowInvalid(message)
            schema = pa.schema([schema.field(name) for name in columns])  # the others may hold what polars cannot
        found = [frame_of(schema.empty_table())]
        for batch in file.iter_batches(columns=columns):
            table = pa.Table.from_batches([batch])
            table.validate(full=True)  # above all that text is UTF-8, on which polars relies
            found.append(frame_of(table if columns is None else table.select(columns)))
    # In polars' memory: arrow's allocator keeps what is freed later, as much as the whole table.
    return pl.concat(found, rechunk=True)


def column_names(source: Path | bytes) -> list[str]:
    """Column names of a table written by others.

    Raises:
        OSError, pyarrow.ArrowException: See `DAMAGE`.
    """
    with _opened(source) as file:
        return list(file.schema_arrow.names)


def key_values(path: Path) -> dict[str, str]:
    """Metadata in the footer of a table written by others.

    Raises:
        OSError, pyarrow.ArrowException, ValueError: See `DAMAGE`; or it is not text.
    """
    with _opened(path) as file:
        found = file.metadata.metadata or {}
    return {name.decode(): value.decode() for name, value in found.items()}


def _opened(source: Path | bytes) -> pq.ParquetFile:
    return pq.ParquetFile(pa.BufferReader(source) if isinstance(source, bytes) else source)


def open_parquet(path: Path, *needed: str) -> pq.ParquetFile:
    """A Parquet file opened for reading in batches.

    Args:
        path: The file.
        needed: Columns that it must have.

    Raises:
        InputError: The file cannot be read, or lacks a needed column.
    """
    try:
        # Buffering ahead would keep what it read until the file is closed.
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
