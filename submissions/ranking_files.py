"""A ranking as a file: CSV for a spreadsheet, Parquet for programs, JSON for both with what the list promises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from engine.errors import InputError
from engine.files import atomic_path, write_parquet

FORMATS = (".csv", ".parquet", ".json")
_FORMULA = r"^[=+\-@\t\r]"


def require_format(path: Path) -> None:
    """Refuse a file name whose ending names no format.

    Raises:
        InputError: It is none of .csv, .parquet and .json.
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
        ranking: As `rank_lesions` gives it, with what was joined to it.
        path: .csv (text made safe for spreadsheets, see `formula_safe`), .parquet, or .json.
        about: What stands next to the lesions in JSON.

    Raises:
        InputError: The format is not known, or the folder cannot be written to.
    """
    require_format(path)
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        write_parquet(ranking, path)
        return
    with atomic_path(path) as temporary:
        if suffix == ".csv":
            formula_safe(ranking).write_csv(temporary)
        else:
            head = json.dumps(dict(about), ensure_ascii=False, allow_nan=False)
            opening = "{" if head == "{}" else f"{head[:-1]}, "
            temporary.write_text(f'{opening}"lesions": {ranking.write_json()}}}\n', "utf-8")


def formula_safe(table: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before text that a spreadsheet would run as a formula; numbers stay as they are.

    Text is dangerous that begins with = + - @, a tab or a carriage return. Source: OWASP, CSV injection.
    """
    text = pl.col(pl.String)
    return table.with_columns(pl.when(text.str.contains(_FORMULA)).then("'" + text).otherwise(text).name.keep())
