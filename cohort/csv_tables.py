"""CSV as a table of lesions: parsed fast, and only on failure searched for the exact cell or line.

Columns may be separated by commas, semicolons, tabs or bars, as the header shows. Decimal commas are read if no
number in the table has a point and not every comma could separate thousands.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import polars as pl

from cohort.cells import MISSING, ROW, CellError, refuse_patterns, typed
from engine.errors import InputError

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_COMMA = r"^[+-]?\d*,\d+(?:[eE][+-]?\d+)?$"
_THOUSANDS = r"^[+-]?[1-9]\d{0,2}(?:,\d{3})+$"
_POLARS_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)


@dataclass
class CsvTable:
    """A CSV file with a header and UTF-8 text, or the content of a gzipped one; see `cohort.tables.SourceTable`."""

    path: Path
    content: Path | bytes
    header: list[str] = field(init=False)
    habits: set[str] = field(default_factory=set)
    _separator: str = ","
    _begins: list[int] = field(default_factory=list, repr=False)
    _walk: Iterator[tuple[int, list[str]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        first = next(self._records(), (1, []))[1]
        if len(first) == 1 and not first[0].lower().startswith("sep="):
            self._separator = max(_SEPARATORS, key=first[0].count) if set(first[0]) & set(_SEPARATORS) else ","
            first = next(self._records(), (1, []))[1]
        self._refuse_odd_header(first)
        refuse_patterns(first, str(self.path))
        self.header, self._walk = first, self._records()
        if self._separator in _SEPARATORS:
            self.habits.add(f"columns separated by {_SEPARATORS[self._separator]}")

    def read(self, dtypes: Mapping[str, pl.DataType], unread: list[CellError] | None = None) -> pl.DataFrame:
        """See `cohort.tables.SourceTable.read`."""
        last = self.header[-1]
        wanted = {**dtypes, **({} if last in dtypes else {last: pl.String()})}
        raw = self._parsed(wanted, unread)
        # polars fills a line that is too short with nulls, so only a null in the last column can hide one.
        if raw[last].null_count():
            self._refuse_ragged()
        blank = raw.select(pl.all_horizontal(pl.all().is_null())).to_series()
        rows = raw.select(*dtypes).with_row_index(ROW)
        return rows.filter(~blank) if blank.any() else rows

    def text(self, column: str) -> pl.Series:
        """See `cohort.tables.SourceTable.text`."""
        return pl.read_csv(self.content, columns=[column], infer_schema=False, separator=self._separator, glob=False)[
            column
        ]

    def _parsed(self, dtypes: Mapping[str, pl.DataType], unread: list[CellError] | None) -> pl.DataFrame:
        """The columns, typed; if the fast parser gives up, by way of text, which finds the wrong cell."""
        try:
            found = self._parse(dtypes)
            odd = [name for name, dtype in dtypes.items() if dtype.is_float() and found[name].is_nan().any()]
            return found.with_columns(pl.col(odd).fill_nan(None))
        except _POLARS_ERRORS as error:
            self._refuse_ragged()
            reason: BaseException = error
        try:
            text = self._with_points(self._parse({name: pl.String() for name in dtypes}), dtypes)
            return typed((text.drop_in_place(name) for name in dtypes), dtypes, unread)
        except CellError as cell:
            raise cell.as_input_error(self.place(cell.row, cell.column)) from reason
        except _POLARS_ERRORS as error:
            raise self._damaged(str(error).splitlines()[0][:100]) from error

    def _with_points(self, text: pl.DataFrame, dtypes: Mapping[str, pl.DataType]) -> pl.DataFrame:
        """Decimal commas as points, if they can mean nothing else."""
        numbers = [name for name, dtype in dtypes.items() if dtype.is_float()]
        commas = False
        for name in numbers:
            cells = text[name].str.strip_chars()
            if cells.str.contains(r"\d\.|\.\d").any():
                return text
            commas |= not cells.filter(cells.str.contains(_COMMA)).str.contains(_THOUSANDS).all()
        if not commas:
            return text
        self.habits.add("decimal commas")
        comma = pl.col(numbers).str.strip_chars()
        return text.with_columns(
            pl.when(comma.str.contains(_COMMA)).then(comma.str.replace(",", ".", literal=True)).otherwise(comma)
        )

    def place(self, row: int, column: str | None = None) -> str:
        """See `cohort.tables.SourceTable.place`."""
        return f"{self.path}, {f'column {column}, ' if column else ''}row {row + 1} (line {self._line_of(row)})"

    def _parse(self, dtypes: Mapping[str, pl.DataType]) -> pl.DataFrame:
        return pl.read_csv(
            self.content,
            columns=list(dtypes),
            infer_schema=False,
            schema_overrides=dict(dtypes),
            null_values=list(MISSING),
            separator=self._separator,
            glob=False,
        ).select(list(dtypes))

    def _damaged(self, what: str) -> InputError:
        return InputError(
            f"the file cannot be read as CSV ({what})",
            where=str(self.path),
            remedy="look for a quote that is opened and never closed, or write the file again",
        )

    def _refuse_odd_header(self, header: list[str]) -> None:
        if not header:
            raise InputError(
                "the first line is empty", where=str(self.path), remedy="begin the file with the column names"
            )
        if header[0].lower().startswith("sep="):
            raise InputError(
                f"the first line is {','.join(header)}, which only Excel reads",
                where=str(self.path),
                remedy="delete this line, so that the file begins with the column names",
            )
        repeated = [name for name, count in Counter(header).items() if name and count > 1]
        if repeated:
            raise InputError(
                f"column {repeated[0]} appears twice", where=str(self.path), remedy="keep one column of each name"
            )

    def _refuse_ragged(self) -> None:
        width = len(self.header)
        for line, record in self._records():
            if record and len(record) != width:
                raise InputError(
                    f"this line has {len(record)} fields, the header {width}",
                    where=f"{self.path}, line {line}",
                    remedy="fix the line; if it is the last one the file was cut off, so download or write it again",
                )

    def _line_of(self, row: int) -> int:
        """Line in the file (1-based, the header is line 1) on which data row `row` (0-based) begins."""
        missing = row + 2 - len(self._begins)  # earlier lines are known from earlier calls: reading is slow
        self._begins += [line for line, _ in islice(self._walk, max(missing, 0))]
        return self._begins[row + 1] if row + 1 < len(self._begins) else row + 2

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Each record with the line it begins on; slow, so used only for the header and error messages."""
        with io.TextIOWrapper(self._bytes(), encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, delimiter=self._separator)
            line = 1
            try:
                for record in reader:
                    yield line, record
                    line = reader.line_num + 1
            except csv.Error as error:
                raise self._damaged(f"line {line}: {error}") from error
            except UnicodeDecodeError as error:
                raise InputError(
                    "this line is not text in UTF-8",
                    where=f"{self.path}, line {self._line_of_bad_byte()}",
                    remedy="save the table as CSV in UTF-8",
                ) from error

    def _bytes(self) -> BinaryIO:
        return io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")

    def _line_of_bad_byte(self) -> int:
        with self._bytes() as stream:
            content = stream.read()
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            return content.count(b"\n", 0, error.start) + 1
        return 1
