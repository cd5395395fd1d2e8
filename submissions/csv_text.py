"""A submission as a scorer's CSV reader sees it: text, header, records, each with its line."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from engine.errors import InputError
from engine.files import refuse_special

BOM = b"\xef\xbb\xbf"
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class UnreadableError(Exception):
    """There is no table in this file; the message says why."""


@dataclass(frozen=True)
class Sheet:
    """The cells of a CSV file as text.

    Attributes:
        header: Names of the columns, as written.
        columns: Cells of each column of the header; "" where a ragged record is too short.
        ragged: Line and number of fields of each record that has more or fewer than the header.
        has_bom: Whether the file begins with a byte-order mark.
        quoted: Whether any cell is in quotes.
    """

    header: list[str]
    columns: list[list[str]] = field(repr=False)
    ragged: list[tuple[int, int]]
    has_bom: bool
    quoted: bool

    @property
    def rows(self) -> int:
        """Records below the header, empty lines left out."""
        return len(self.columns[0]) if self.columns else 0

    def text(self, name: str) -> pl.Series:
        """The cells of a column, the first of that name."""
        return pl.Series(name, self.columns[self.header.index(name)], dtype=pl.String)


def read_sheet(path: Path) -> Sheet:
    """Read a file as CSV with commas in UTF-8; empty lines are left out, as pandas does.

    Raises:
        UnreadableError: The file is empty, or is not CSV in UTF-8.
        InputError: There is no such file.
    """
    refuse_special(Path(path))
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read this file ({error.strerror})", where=str(path), remedy="check the path"
        ) from error
    text = _decoded(content)
    if not text.strip():
        raise UnreadableError("the file is empty")
    records = _records(text)
    header = records[0][1]
    width = len(header)
    ragged = [(line, len(record)) for line, record in records[1:] if len(record) != width]
    even = [[*record[:width], *[""] * (width - len(record))] for _, record in records[1:]]
    columns = [list(cells) for cells in zip(*even, strict=True)] or [[] for _ in header]
    return Sheet(header, columns, ragged, content.startswith(BOM), '"' in text)


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError("the text is in UTF-16, not UTF-8")
    try:
        text = content.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableError(f"line {line} is not text in UTF-8") from error
    if "\0" in text:
        raise UnreadableError("this is no text")
    return text


def _records(text: str) -> list[tuple[int, list[str]]]:
    """Each non-empty record, with the line it ends on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return [(reader.line_num, record) for record in reader if record]
    except csv.Error as error:
        raise UnreadableError(f"line {reader.line_num}: {error}") from error
