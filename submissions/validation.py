"""What a scorer would reject in a submission, by code, before it is uploaded.

A scorer reads the file as pandas does, takes the columns by name, drops the id and compares what is left with the
truth *by position*: rows in another order are not rejected but scored as other lesions, which is worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from cohort.cells import MISSING, shown
from cohort.findings import Check, Finding
from engine.errors import InputError
from submissions.csv_text import SEPARATORS, Sheet, UnreadableError, read_sheet

UNREADABLE = Check("UD301", "a file that is empty or no CSV in UTF-8", "error")
BOM = Check("UD302", "a byte-order mark, which some readers take for a part of the first name", "warning")
SEPARATOR = Check("UD303", "separators other than commas", "error")
NO_COLUMN = Check("UD304", "columns of the sample that are missing", "error")
MORE_COLUMNS = Check("UD305", "columns that the sample lacks, such as a row index", "error")
COLUMN_ORDER = Check("UD306", "columns in another order, or twice", "warning")
RAGGED = Check("UD307", "lines with more or fewer fields than the header", "error")
ROWS = Check("UD308", "another number of rows than the sample", "error")
NO_ROW = Check("UD309", "lesions without a row", "error")
UNKNOWN = Check("UD310", "rows of lesions that the sample lacks", "error")
REPEATED = Check("UD311", "lesions with several rows", "error")
ROW_ORDER = Check("UD312", "rows in another order than the sample: a scorer compares by position", "error")
NO_NUMBER = Check("UD313", "scores that are not numbers", "error")
MISSING_SCORE = Check("UD314", "scores that are missing or NaN", "error")
INFINITE = Check("UD315", "infinite scores", "error")
OUTSIDE = Check("UD316", "scores outside 0 to 1, such as ranks, which most scorers take", "warning")
TELLS_NOTHING = Check("UD317", "fewer than three different scores, which rank next to nothing", "warning")
QUOTES = Check("UD318", "cells in quotes", "info")

SUBMISSION_CHECKS: tuple[Check, ...] = (
    *(UNREADABLE, BOM, SEPARATOR, NO_COLUMN, MORE_COLUMNS, COLUMN_ORDER, RAGGED),
    *(ROWS, NO_ROW, UNKNOWN, REPEATED, ROW_ORDER),
    *(NO_NUMBER, MISSING_SCORE, INFINITE, OUTSIDE, TELLS_NOTHING, QUOTES),
)
"""In the order of their codes; a code is never reused for another question."""

_SHOWN = 3


def validate_submission(path: Path, like: Path) -> list[Finding]:
    """Compare a submission with the competition's sample.

    Args:
        path: The submission.
        like: The sample: a header of the id and one or more scores, and every id in the wanted order.

    Returns:
        A finding for each of `SUBMISSION_CHECKS`, in their order.

    Raises:
        InputError: There is no such file, or the sample is not a table.
    """
    sample = _sample(like)
    answered = {finding.code: finding for finding in _findings(path, sample)}
    reason = "the columns were not found"
    return [answered.get(check.code) or check.not_applicable(reason) for check in SUBMISSION_CHECKS]


def _sample(like: Path) -> Sheet:
    try:
        sample = read_sheet(like)
    except UnreadableError as error:
        raise InputError(str(error), where=str(like), remedy="give the competition's sample_submission.csv") from error
    if len(sample.header) < 2 or not sample.rows:
        raise InputError(
            f"a sample of {len(sample.header)} columns and {sample.rows} rows",
            where=str(like),
            remedy="give the competition's sample_submission.csv, with its ids and scores",
        )
    return sample


def _findings(path: Path, sample: Sheet) -> Iterator[Finding]:
    try:
        sheet = read_sheet(path)
    except UnreadableError as error:
        yield UNREADABLE.found(str(error))
        return
    yield UNREADABLE.clear(f"{sheet.rows:,} rows")
    yield BOM.found("the file begins with one") if sheet.has_bom else BOM.clear("none")
    yield QUOTES.found("read as the text inside them") if sheet.quoted else QUOTES.clear("none")
    separator = _separator(sheet, sample)
    if separator:
        yield SEPARATOR.found(f"the columns are separated by {separator}")
        return
    yield SEPARATOR.clear("commas")
    yield _ragged(sheet)
    yield from _columns(sheet, sample)
    if set(sample.header) <= set(sheet.header):
        yield from _rows(sheet.text(sample.header[0]), sample.text(sample.header[0]))
        yield from _scores(sheet, sample.header[0], sample.header[1:])


def _separator(sheet: Sheet, sample: Sheet) -> str:
    if len(sheet.header) > 1 or len(sample.header) == 1:
        return ""
    return next((word for mark, word in SEPARATORS.items() if mark in sheet.header[0]), "")


def _ragged(sheet: Sheet) -> Finding:
    if not sheet.ragged:
        return RAGGED.clear(f"{len(sheet.header)} fields in every line")
    line, fields = sheet.ragged[0]
    count = len(sheet.ragged)
    return RAGGED.found(
        f"{count:,} lines, the first line {line} with {fields} fields where the header has {len(sheet.header)}",
        lines=count,
    )


def _columns(sheet: Sheet, sample: Sheet) -> Iterator[Finding]:
    missing = [name for name in sample.header if name not in sheet.header]
    more = [name for name in sheet.header if name not in sample.header]
    wanted = ",".join(sample.header)
    if missing:
        yield NO_COLUMN.found(f"{', '.join(missing)}; the header is {shown(','.join(sheet.header))}", columns=missing)
    else:
        yield NO_COLUMN.clear(wanted)
    if more:
        index = "; write without a row index" if more[0] in {"", "Unnamed: 0", "index"} else ""
        yield MORE_COLUMNS.found(f"{', '.join(map(shown, more))}{index}", columns=more)
    else:
        yield MORE_COLUMNS.clear("none")
    kept = [name for name in sheet.header if name in sample.header]
    if missing or kept == sample.header:
        yield COLUMN_ORDER.clear("as far as they are there")
    else:
        yield COLUMN_ORDER.found(f"{','.join(kept)} in place of {wanted}")


def _rows(ids: pl.Series, wanted: pl.Series) -> Iterator[Finding]:
    count = f"{len(ids):,} rows where the sample has {len(wanted):,}"
    yield ROWS.clear(f"{len(ids):,}") if len(ids) == len(wanted) else ROWS.found(count)
    absent = wanted.filter(~wanted.is_in(ids.implode()))
    unknown = ids.filter(~ids.is_in(wanted.implode()))
    alike = _normal(absent).is_in(_normal(unknown).implode()).sum() if len(absent) and len(unknown) else 0
    hint = f"; {alike:,} of them differ in spaces or capitals only" if alike else ""
    yield _of_ids(NO_ROW, absent, hint)
    yield _of_ids(UNKNOWN, unknown, "")
    yield _of_ids(REPEATED, ids.filter(ids.is_duplicated()).unique(maintain_order=True), "")
    if len(absent) or len(unknown) or len(ids) != len(wanted):
        yield ROW_ORDER.not_applicable("the lesions are not those of the sample")
        return
    moved = int((ids != wanted).sum())
    place = int((ids != wanted).arg_true()[0]) if moved else 0
    yield (
        ROW_ORDER.found(f"{moved:,} rows, the first row {place + 1} with {ids[place]} for {wanted[place]}", rows=moved)
        if moved
        else ROW_ORDER.clear("the sample's order")
    )


def _normal(ids: pl.Series) -> pl.Series:
    return ids.str.strip_chars().str.to_lowercase()


def _of_ids(check: Check, ids: pl.Series, hint: str) -> Finding:
    if not len(ids):
        return check.clear("none")
    listed = ", ".join(map(shown, ids.head(_SHOWN)))
    more = ", …" if len(ids) > _SHOWN else ""
    return check.found(f"{len(ids):,}: {listed}{more}{hint}", lesions=len(ids))


def _scores(sheet: Sheet, key: str, names: list[str]) -> Iterator[Finding]:
    ids = sheet.text(key)
    text = pl.concat([sheet.text(name).str.strip_chars().alias("score") for name in names])
    missing = text.is_in(MISSING)
    number = text.set(missing, None).cast(pl.Float64, strict=False)
    missing = missing | number.is_nan().fill_null(value=False)
    finite = number.is_finite().fill_null(value=False)
    bad = {
        NO_NUMBER: number.is_null() & ~missing,
        MISSING_SCORE: missing,
        INFINITE: number.is_infinite().fill_null(value=False),
        OUTSIDE: finite & ~number.is_between(0, 1).fill_null(value=False),
    }
    for check, rows in bad.items():
        places = rows.arg_true()
        if len(places):
            first = int(places[0])
            where = ids[first % len(ids)]
            yield check.found(f"{len(places):,}, the first {shown(text[first])} of {where}", scores=len(places))
        else:
            yield check.clear("none")
    different = number.filter(finite).n_unique()
    few = 0 < different < 3 <= len(ids)
    yield TELLS_NOTHING.found(f"{different}") if few else TELLS_NOTHING.clear(f"{different:,} different scores")
