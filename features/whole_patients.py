"""Reads a Parquet table of lesions as frames of whole patients, however large the table and whatever its order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from cohort.columns import CATEGORICAL, NUMERIC
from cohort.frames import ID
from engine.errors import InputError

PATIENT = "patient_id"
_KEYS = (ID, PATIENT)


def whole_patients(source: Path, scratch: Path, rows: int) -> Iterator[pl.DataFrame]:
    """Yield the keys and the columns that features may be made of, in frames of whole patients.

    Where each patient's rows are together they come in the order of the table; else the table is first dealt into
    files in `scratch` by patient.

    Args:
        source: A Parquet table in the canonical form.
        scratch: Folder for temporary files.
        rows: Rows of a frame, about.

    Yields:
        Frames of at least one row; a single empty one if the table is empty.

    Raises:
        InputError: The table can not be read or lacks a key.
    """
    file = _open(source)
    wanted = {*_KEYS, *NUMERIC, *CATEGORICAL}
    columns = [name for name in file.schema_arrow.names if name in wanted]
    if not file.metadata.num_rows:
        yield _frame(file.schema_arrow.empty_table().select(columns))
    elif _together(file, rows):
        yield from _runs(file, columns, rows)
    else:
        yield from _dealt(file, columns, rows, scratch)


def _open(source: Path) -> pq.ParquetFile:
    try:
        # Buffering ahead keeps what it read until the file is closed.
        file = pq.ParquetFile(source, pre_buffer=False)
    except FileNotFoundError as error:
        raise InputError("no such file", where=str(source), remedy="check the path") from error
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError("not a Parquet file", where=str(source), remedy="write it as Parquet") from error
    for key in _KEYS:
        if key not in file.schema_arrow.names:
            raise InputError(f"no column {key!r}", where=str(source), remedy="give a table in the canonical form")
    return file


def _frame(table: pa.Table | pa.RecordBatch) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame):
        message = "an arrow table is a frame"
        raise TypeError(message)
    return frame


def _together(file: pq.ParquetFile, rows: int) -> bool:
    """Whether each patient's rows follow one another; compares 64-bit hashes, 8 bytes a run of rows."""
    runs, last = [], None
    for batch in file.iter_batches(rows, columns=[PATIENT]):
        hashes = _frame(batch)[PATIENT].hash().to_numpy()
        new = np.append(hashes[:1] != last, hashes[1:] != hashes[:-1])
        runs.append(hashes[new])
        last = hashes[-1]
    joined = np.concatenate(runs)
    return bool(np.unique(joined).size == joined.size)


def _runs(file: pq.ParquetFile, columns: list[str], rows: int) -> Iterator[pl.DataFrame]:
    held: pl.DataFrame | None = None
    for batch in file.iter_batches(rows, columns=columns):
        frame = _frame(batch)
        frame = frame if held is None else pl.concat((held, frame), rechunk=True)
        other = (frame[PATIENT] != frame[PATIENT][-1]).to_numpy()
        cut = int(np.flatnonzero(other)[-1]) + 1 if other.any() else 0
        held = frame.slice(cut)
        if cut:
            yield frame.slice(0, cut)
    if held is not None:
        yield held


def _dealt(file: pq.ParquetFile, columns: list[str], rows: int, scratch: Path) -> Iterator[pl.DataFrame]:
    hands = -(-file.metadata.num_rows // (4 * rows))
    paths = [scratch / f"{hand}.parquet" for hand in range(hands)]
    schema = pa.schema([file.schema_arrow.field(name) for name in columns])
    writers = [pq.ParquetWriter(path, schema, compression="lz4") for path in paths]
    try:
        for batch in file.iter_batches(rows, columns=columns):
            hand = (_frame(batch)[PATIENT].hash() % hands).to_numpy()
            for place, writer in enumerate(writers):
                part = batch.filter(pa.array(hand == place))
                if part.num_rows:
                    writer.write_batch(part)
    finally:
        for writer in writers:
            writer.close()
    for path in paths:
        frame = _frame(pq.read_table(path))
        path.unlink()
        if frame.height:
            yield frame
