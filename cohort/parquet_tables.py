"""Parquet as a table of lesions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from cohort.cells import ROW, CellError, refuse_patterns, typed
from cohort.parquet_batches import DAMAGE, column_names, read_parquet
from engine.errors import InputError


@dataclass
class ParquetTable:
    """A Parquet file, or a gzipped one; see `cohort.tables.SourceTable`."""

    path: Path
    content: Path | bytes
    header: list[str] = field(init=False)
    habits: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        try:
            self.header = column_names(self.content)
        except DAMAGE as error:
            raise self._damaged(error) from error
        refuse_patterns(self.header, str(self.path))

    def read(self, dtypes: Mapping[str, pl.DataType], unread: list[CellError] | None = None) -> pl.DataFrame:
        """See `cohort.tables.SourceTable.read`."""
        try:
            return typed((self._column(name) for name in dtypes), dtypes, unread).with_row_index(ROW)
        except CellError as error:
            raise error.as_input_error(self.place(error.row, error.column)) from error

    def text(self, column: str) -> pl.Series:
        """See `cohort.tables.SourceTable.text`."""
        return self._column(column).cast(pl.String)

    def place(self, row: int, column: str | None = None) -> str:
        """See `cohort.tables.SourceTable.place`; Parquet has rows but no lines."""
        return f"{self.path}, {f'column {column}, ' if column else ''}row {row + 1}"

    def _column(self, name: str) -> pl.Series:
        if self.header.count(name) > 1:
            raise InputError(
                f"column {name} appears twice", where=str(self.path), remedy="keep one column of each name"
            )
        try:
            return read_parquet(self.content, [name])[name]
        except DAMAGE as error:
            raise self._damaged(error) from error

    def _damaged(self, error: BaseException) -> InputError:
        return InputError(
            f"the Parquet file is damaged or cut off ({(str(error).splitlines() or [type(error).__name__])[0][:100]})",
            where=str(self.path),
            remedy="download or write it again",
        )
