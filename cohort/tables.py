"""Table files: CSV (plain or gzip) and Parquet behind one small interface, told apart by content, not by name."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import polars as pl

from cohort.cells import CellError
from cohort.csv_tables import CsvTable
from cohort.parquet_tables import ParquetTable
from engine.errors import InputError
from engine.files import refuse_special

_HEAD = 65536
_UNPACKED, _GROWTH = 2**26, 100  # bytes, and times its size, that a table may unpack to; tables pack tenfold
_CALL_FOR_TABLE = "give a CSV file (plain or gzip) or a Parquet file"
_FOREIGN = {
    b"\x1f\x8b": "a gzip file in a gzip file",
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x89HDF": "an HDF5 file",
    b"\xff\xd8\xff": "a JPEG image",
    b"\x89PNG": "a PNG image",
    b"%PDF": "a PDF document",
    b"ARROW1": "an Arrow file",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"version https://git-lfs": "a Git LFS pointer in place of the file",
    b"<": "a web page or XML (perhaps a login page saved in place of the download)",
    b"{": "JSON",
    b"[": "JSON",
}


class SourceTable(Protocol):
    """A table file, opened as far as its header.

    Attributes:
        path: The file.
        header: Names of its columns.
        habits: What is unusual about how it is written; more may be known once it is read.
    """

    path: Path
    header: list[str]

    @property
    def habits(self) -> set[str]:
        """See above."""
        ...

    def read(self, dtypes: Mapping[str, pl.DataType], unread: list[CellError] | None = None) -> pl.DataFrame:
        """The named columns, in that order and with these dtypes (String or Float64), rows in the file's order.

        Missing values (empty cells, `NA`, NaN and their like) are null. So are, with `unread`, cells that cannot be
        read, which it collects. Fully empty rows are left out.

        Returns:
            The columns, and before them `ROW`, UInt32, the 0-based number of the row in the file.

        Raises:
            InputError: Without `unread`, a cell cannot be read as its column's dtype; or the file is damaged.
        """
        ...

    def text(self, column: str) -> pl.Series:
        """One column as it stands in the file, every row, `NA` and its like included; only empty cells are null."""
        ...

    def place(self, row: int, column: str | None = None) -> str:
        """A place for an error message: file, column, and `row` (0-based) as a data row (1-based) and line."""
        ...


def open_table(path: Path) -> SourceTable:
    """Open a table file and read its header.

    Args:
        path: A CSV file, plain or gzip, with a header, in UTF-8; or a Parquet file.

    Raises:
        InputError: The file is missing, empty, damaged, or not a table.
    """
    path = Path(path)
    content = _unpacked(path)
    head = content[:_HEAD] if isinstance(content, bytes) else _head(content)
    if not head.strip():
        raise InputError("the file is empty", where=str(path), remedy="download or write it again")
    if head.startswith(b"PAR1"):
        return ParquetTable(path, content)
    _refuse_foreign(path, head)
    if b"\r" in head and b"\n" not in head:  # as old Macs and some exports end their lines
        whole = content if isinstance(content, bytes) else content.read_bytes()
        content = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return CsvTable(path, content)


def _unpacked(path: Path) -> Path | bytes:
    """The path itself, or the content of a gzip file whatever its suffix."""
    head = _head(path)
    if not head.startswith(b"\x1f\x8b"):
        return path
    most = max(_UNPACKED, _GROWTH * path.stat().st_size)
    try:
        with gzip.open(path) as stream:
            content = stream.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"the gzip file is damaged or cut off ({error})", where=str(path), remedy="download or write it again"
        ) from error
    if len(content) > most:
        raise InputError(
            f"the gzip file unpacks to more than {most:,} bytes", where=str(path), remedy="give the table unpacked"
        )
    return content


def _head(path: Path) -> bytes:
    refuse_special(path)
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD)
    except FileNotFoundError as error:
        raise InputError("no such file", where=str(path), remedy="check the path") from error
    except IsADirectoryError as error:
        raise InputError("this is a folder, not a table", where=str(path), remedy=_CALL_FOR_TABLE) from error
    except (OSError, ValueError) as error:
        raise InputError(f"the file cannot be read ({error})", where=str(path), remedy="check the path") from error


def _refuse_foreign(path: Path, head: bytes) -> None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, what in _FOREIGN.items():
        if text.startswith(magic):
            raise InputError(f"not a table but {what}", where=str(path), remedy=_CALL_FOR_TABLE)
    if b"\0" in head:
        raise InputError("not a table but binary data", where=str(path), remedy=_CALL_FOR_TABLE)


def read_text_columns(path: Path, names: Sequence[str]) -> tuple[SourceTable, pl.DataFrame]:
    """Read a small side table, all columns as text.

    Raises:
        InputError: As `open_table`, or a column is missing.
    """
    table = open_table(path)
    missing = [name for name in names if name not in table.header]
    if missing:
        raise InputError(
            f"column {missing[0]} is missing",
            where=str(path),
            remedy=f"give a table with the columns {', '.join(names)}",
        )
    return table, table.read({name: pl.String() for name in names})
