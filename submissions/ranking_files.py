"""A ranking as a file: CSV and XLSX for a spreadsheet, Parquet for programs, JSON with what the list promises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from xlsxwriter import Workbook

from engine.errors import InputError
from engine.files import atomic_path, write_parquet

FORMATS = (".csv", ".xlsx", ".parquet", ".json")
_MOST_ROWS = 1_048_575  # in an XLSX sheet, below its header
_DIGITS = {"score": 6}
_USUAL_DIGITS = 4
_FORMULA = r"^[=+\-@\t\r]"


def require_format(path: Path) -> None:
    """Refuse a file name whose suffix is not a known format.

    Raises:
        InputError: It is not one of `FORMATS`.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(
            f"no format {path.suffix or 'without an ending'}",
            where=f"--out {path}",
            remedy=f"let the name end with {', '.join(FORMATS)}",
        )


def write_ranking(ranking: pl.DataFrame, path: Path, *, about: Mapping[str, Any]) -> None:
    """Write a ranking in the format that the file's name ends with, atomically.

    Args:
        ranking: As `rank_lesions` returns it, with whatever was joined to it.
        path: .csv (rounded, text made safe for spreadsheets, see `formula_safe`), .xlsx (rounded), .parquet, or .json.
        about: What to write next to the lesions in JSON.

    Raises:
        InputError: The format is not known or holds fewer rows, or the folder cannot be written to.
    """
    require_format(path)
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        write_parquet(ranking, path)
        return
    with atomic_path(path) as temporary:
        if suffix == ".csv":
            formula_safe(rounded(ranking)).write_csv(temporary)
        elif suffix == ".xlsx":
            _write_workbook(rounded(ranking), temporary, path)
        else:
            head = json.dumps(dict(about), ensure_ascii=False, allow_nan=False)
            opening = "{" if head == "{}" else f"{head[:-1]}, "
            temporary.write_text(f'{opening}"lesions": {ranking.write_json()}}}\n', "utf-8")


def rounded(table: pl.DataFrame) -> pl.DataFrame:
    """Round numbers to what a reader needs: six significant digits for a score, four for the others."""
    floats = [name for name, dtype in table.schema.items() if dtype.is_float()]
    return table.with_columns(pl.col(name).round_sig_figs(_DIGITS.get(name, _USUAL_DIGITS)) for name in floats)


def _write_workbook(table: pl.DataFrame, path: Path, named: Path) -> None:
    """One sheet with a fixed header and filters; text stays text, never a formula or a link."""
    if table.height > _MOST_ROWS:
        raise InputError(f"{table.height:,} rows are more than a sheet holds", where=str(named), remedy="write .csv")
    with Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}) as book:
        table.write_excel(
            book, "ranking", dtype_formats={pl.Float64: "General", pl.Int32: "0"}, freeze_panes=(1, 0), autofit=True
        )


def formula_safe(table: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before text that a spreadsheet would run as a formula; numbers stay as they are.

    Text that begins with = + - @, a tab or a carriage return is dangerous. Source: OWASP, CSV injection.
    """
    text = pl.col(pl.String)
    return table.with_columns(pl.when(text.str.contains(_FORMULA)).then("'" + text).otherwise(text).name.keep())
