"""Unusable values of new lesions: they count as missing, so that one cell does not cost all scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl
import polars.selectors as cs

from cohort.cells import CONTROL, CellError
from cohort.frames import ID
from cohort.rules import BAD_TARGET, DISAGREEMENT, INFINITE, NEGATIVE_SIZE, NO_PATIENT, SIZES
from cohort.tables import SourceTable
from cohort.validation import TableProblem

_MISSING = "counts as missing"
_BECOMES = {
    INFINITE: _MISSING,
    NEGATIVE_SIZE: _MISSING,
    NO_PATIENT: "a lesion without a patient is compared with no other",
    BAD_TARGET: "the labels are left out",
    DISAGREEMENT: "the labels are left out",
}


def in_words(
    unread: Iterable[CellError], problems: Sequence[TableProblem], table: SourceTable
) -> tuple[list[str], list[TableProblem]]:
    """What is wrong, each with its place, its value and what becomes of it; and the problems that cannot be mended."""
    said = []
    for cell in unread:
        error = cell.as_input_error(table.place(cell.row, cell.column))
        more = f" ({cell.cells - 1:,} more like it)" if cell.cells > 1 else ""
        said.append(f"{error.where}: {error.what}{more}; {_MISSING}")
    said.extend(
        f"{problem.error.where}: {problem.error.what}; {_BECOMES[problem.check]}"
        for problem in problems
        if problem.check in _BECOMES
    )
    return said, [problem for problem in problems if problem.check not in _BECOMES]


def as_missing(frame: pl.DataFrame, problems: Sequence[TableProblem]) -> pl.DataFrame:
    """The canonical rows without what `in_words` reports."""
    checks = {problem.check for problem in problems}
    if checks & {BAD_TARGET, DISAGREEMENT}:
        frame = frame.drop("target")
    patient = pl.col("patient_id").str.strip_chars().str.replace_all(f"[{CONTROL}]", "\ufffd")
    # Columns without such values are not copied.
    odd = [one.name for one in frame.select(cs.float()) if not one.is_finite().all()]
    small = [one.name for one in frame.select(cs.by_name(*SIZES, require_all=False)) if (one < 0).any()]
    return frame.with_columns(
        *(pl.when(pl.col(name).is_finite()).then(name) for name in odd),
        pl.when(patient != "").then(patient).otherwise(ID).alias("patient_id"),
    ).with_columns(pl.when(pl.col(name) >= 0).then(name) for name in small)
