"""Turning cells into typed values: which spellings mean missing, and which cell cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import polars as pl

from cohort.mapping import WHERE
from engine.errors import InputError

ROW = "uglyduck: row of the file"
"""Column that carries the 0-based row number in the file through reading; no file uses this name."""
MISSING = ("", "NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NAN", "-nan", "NULL", "Null", "null", "None", "none")
"""Cells that mean "missing" in every column: what R, pandas, SQL and spreadsheets write."""

CONTROL = r"\p{Cc}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2066}-\x{2069}"
"""Characters, for a pattern's brackets, that move a terminal's cursor or change the text direction."""

_LABELS = ("target", "malignant")


def refuse_patterns(header: Iterable[str], where: str) -> None:
    """Refuse a column whose name polars takes for several columns: `*`, or a pattern from `^` to `$`.

    Raises:
        InputError: There is one.
    """
    for name in header:
        if name == "*" or (name.startswith("^") and name.endswith("$")):
            raise InputError(
                f"a column is called {name!r}, which stands for several columns", where=where, remedy="rename it"
            )


class CellError(Exception):
    """A cell cannot be read as its column's dtype; the table that owns it turns this into an `InputError`.

    Attributes:
        row: 0-based row of the file.
        column: Its name.
        value: What it holds.
        dtype: What it should hold.
        cells: How many cells of the column cannot be read; this is the first.
    """

    def __init__(self, row: int, column: str, value: object, dtype: pl.DataType, cells: int) -> None:
        self.row, self.column, self.value, self.dtype, self.cells = row, column, value, dtype, cells
        super().__init__(row, column, value, dtype, cells)

    def as_input_error(self, place: str) -> InputError:
        """The message for a user, with the place that the table worked out."""
        if self.column in _LABELS:
            return InputError(
                f"{shown(self.value)} is not a number",
                where=place,
                remedy=f"write 1 for malignant and 0 for benign, or say which words are malignant under {WHERE}: "
                f'target = {{ column = "{self.column}", malignant = ["..."] }}',
            )
        kind = "a number" if self.dtype.is_numeric() else "text"
        return InputError(
            f"{shown(self.value)} is not {kind}",
            where=place,
            remedy="write numbers as 1.5, and missing values as an empty cell or NA",
        )


def shown(value: object, most: int = 40) -> str:
    """A value quoted for a one-line message, cut at `most` characters."""
    text = str(value)
    return repr(text if len(text) <= most else text[:most] + "…")


def typed(
    columns: Iterable[pl.Series], dtypes: Mapping[str, pl.DataType], unread: list[CellError] | None = None
) -> pl.DataFrame:
    """Cast columns to `dtypes` (String or Float64); missing spellings and NaN become null.

    Spaces around a number are ignored; in text every character counts.

    Args:
        columns: Text or numbers; taken one at a time, so that their source is never held whole.
        dtypes: Dtype of each column.
        unread: Collects what cannot be cast, one error per column; those cells become null.

    Raises:
        CellError: Without `unread`, a cell cannot be cast: the first such row, and in it the first column.
    """
    found, failures = [], []
    for column in columns:
        name, dtype = column.name, dtypes[column.name]
        given = _nulled(column, strip=dtype.is_float())
        cast = _cast(given, dtype)
        lost = (cast.is_null() & given.is_not_null()).arg_true()
        if len(lost):
            failures.append(CellError(int(lost[0]), name, given[int(lost[0])], dtype, len(lost)))
        found.append(cast.fill_nan(None) if dtype.is_float() else word_by_word(cast, lambda words: words + ""))
    if unread is not None:
        unread.extend(failures)
    elif failures:
        raise min(failures, key=lambda failure: failure.row)
    return pl.DataFrame(found)


def word_by_word(text: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Text with each distinct value changed once, so that equal values share memory; ids are changed directly.

    Args:
        text: Strings.
        change: Turns strings into as many others, in new memory.
    """
    words = text.unique()
    if 2 * len(words) > len(text):
        return change(text)
    return text.replace_strict(words, change(words), return_dtype=pl.String)


def _nulled(series: pl.Series, *, strip: bool) -> pl.Series:
    """Text without the spellings of "missing"; dictionary-encoded text as plain text."""
    if isinstance(series.dtype, pl.Categorical | pl.Enum):
        series = series.cast(pl.String)
    if series.dtype != pl.String:
        return series
    text = series.str.strip_chars() if strip else series
    return text.set(text.is_in(MISSING), None)


def _cast(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Cast without raising: what cannot be cast is null, and so is everything of a type that makes no sense here."""
    readable = series.dtype.is_numeric() or series.dtype in {pl.String, pl.Boolean, pl.Null}
    if not readable:
        return pl.Series(series.name, [None] * len(series), dtype=dtype)
    if series.dtype == pl.Boolean and dtype == pl.String:
        return series.cast(pl.String)
    return series.cast(dtype, strict=False)
