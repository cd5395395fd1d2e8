"""Reading one table of predictions or labels: which column is the id, which the score, and is all of it usable."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cohort.cells import ROW
from cohort.datasets import DATASETS
from cohort.tables import SourceTable, open_table
from engine.errors import InputError, shorten

ID_COLUMNS = ("isic_id", "image_name")
SCORES = ("score", "prob", "prediction")
"""What people call a score, besides a run's `blend`."""
LABELS = ("target", "malignant")
"""What people call a label, or a score if the values are not all 0 or 1."""
#: Columns of the datasets and of a run's tables that are never scores, whatever they hold; nor are fold_1, fold_2.
_NO_SCORES = frozenset(
    {*ID_COLUMNS, "patient_id", "lesion_id", "group", "fold"}
    | {field.source for dataset in DATASETS for field in dataset.fields}
) - set(LABELS)
#: How pandas, polars and R name a column that only numbers the rows.
_INDEX = re.compile(r"(unnamed: ?\d+(\.\d+)?|index|row_nr|level_\d+|__index_level_\d+__)?", re.IGNORECASE)
#: Ids named in a message.
SHOWN = 3


def score_column(path: Path, wanted: str | None = None) -> str:
    """Choose the column of scores.

    The wanted one, else `blend`, else the one of `SCORES` present, else the one of `LABELS` that holds more than 0 and
    1, else the only column of numbers that is neither a row index nor a column of a known dataset.

    Raises:
        InputError: The table cannot be read, the wanted column is missing, there is no score, or several columns
            could be it.
    """
    table = open_table(path)
    if wanted is not None:
        return _found(table, wanted)
    if "blend" in table.header:
        return "blend"
    numbers = _numbers(table, [name for name in table.header if _may_be_score(name)])
    labels = [name for name in numbers if name in LABELS]
    soft = [name for name in labels if not numbers[name].is_in([0.0, 1.0]).all()]
    named = [name for name in numbers if name in SCORES]
    candidates = named or soft or sorted(numbers, key=lambda name: name in LABELS)
    if len(candidates) > 1:
        raise InputError(
            f"{len(candidates)} columns could be the score: {', '.join(candidates)}",
            where=str(path),
            remedy="choose one with --column",
        )
    if not candidates:
        raise InputError("there is no column of scores", where=str(path), remedy="name one with --column")
    return candidates[0]


def _may_be_score(name: str) -> bool:
    return name not in _NO_SCORES and not name.startswith("fold_") and not _INDEX.fullmatch(name)


def _found(table: SourceTable, wanted: str) -> str:
    if wanted not in table.header or wanted in ID_COLUMNS:
        known = sorted(filter(_may_be_score, table.header), key=lambda name: name in LABELS)
        raise InputError(
            f"there is no score column {wanted!r}",
            where=str(table.path),
            remedy=f"choose from {', '.join(known)}" if known else "give a table of scores",
        )
    return wanted


def _numbers(table: SourceTable, names: Sequence[str]) -> dict[str, pl.Series]:
    """Those columns that hold only numbers and gaps, without the gaps."""
    if not names:
        return {}
    text = table.read({name: pl.String() for name in names}).select(names)
    numbers = text.select(pl.all().str.strip_chars().cast(pl.Float64, strict=False))
    held = [name for name in names if text[name].null_count() == numbers[name].null_count() < text.height]
    return {name: numbers[name].drop_nulls() for name in held}


def read_labels(path: Path) -> pl.DataFrame:
    """Read labels.

    Returns:
        isic_id (String, unique), target (Int8), and, if present, patient_id (String) and fold (Int64).

    Raises:
        InputError: The table cannot be read, the id or target column is missing, an id is missing or repeated, a
            target is not 0 or 1, or a patient_id or fold is missing or not a whole number.
    """
    reading = _Reading(open_table(path))
    if "target" not in reading.table.header:
        raise InputError("column target is missing", where=str(path), remedy="give a table of labels with 0 and 1")
    frame = reading.read("target")
    reading.refuse(frame, "target", (frame["target"] != 0) & (frame["target"] != 1), "is neither 0 nor 1")
    return reading.kept(frame, pl.col("target").cast(pl.Int8))


def read_predictions(path: Path, column: str, name: str) -> pl.DataFrame:
    """Read one score.

    Args:
        path: The table.
        column: As `score_column` chose it.
        name: What to call it.

    Returns:
        isic_id (String, unique), the score (Float64), and, if present, patient_id (String) and fold (Int64).

    Raises:
        InputError: The table cannot be read, the id column is missing, an id is missing or repeated, a score is
            missing, NaN or infinite, or a patient_id or fold is missing or not a whole number.
    """
    reading = _Reading(open_table(path))
    frame = reading.read(column)
    reading.refuse(frame, column, frame[column].is_infinite(), "is infinite")
    return reading.kept(frame, pl.col(column).alias(name))


@dataclass(frozen=True)
class _Reading:
    table: SourceTable

    @property
    def key(self) -> str:
        key = next((name for name in ID_COLUMNS if name in self.table.header), None)
        if key is None:
            raise InputError(
                "there is no column of lesion ids", where=str(self.table.path), remedy="name it isic_id or image_name"
            )
        return key

    @property
    def known(self) -> dict[str, pl.DataType]:
        """What is read if it is present."""
        optional = {"patient_id": pl.String(), "fold": pl.Float64()}
        return {name: dtype for name, dtype in optional.items() if name in self.table.header}

    def read(self, column: str) -> pl.DataFrame:
        """The id, patient_id and fold if present, and one column of numbers: no gaps, each id once."""
        dtypes: dict[str, pl.DataType] = {self.key: pl.String(), **self.known, column: pl.Float64()}
        frame = self._with_any_id(self.table.read(dtypes))
        for name in dtypes:
            self.refuse(frame, name, frame[name].is_null(), "is missing or NaN")
        if "fold" in dtypes:
            whole = (frame["fold"] == frame["fold"].round()) & (frame["fold"].abs() < 1e6)
            self.refuse(frame, "fold", ~whole, "is no fold number")
        self._refuse_repeated(frame[self.key])
        return frame

    def _with_any_id(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Any text is an id here, even `NA` and `null`."""
        if not frame[self.key].null_count():
            return frame
        return frame.with_columns(self.table.text(self.key).gather(frame[ROW]).alias(self.key))

    def kept(self, frame: pl.DataFrame, column: pl.Expr) -> pl.DataFrame:
        """Final names and types."""
        dtypes = {"patient_id": pl.String(), "fold": pl.Int64()}
        known = [pl.col(name).cast(dtypes[name]) for name in self.known]
        return frame.select(pl.col(self.key).alias("isic_id"), *known, column)

    def refuse(self, frame: pl.DataFrame, name: str, bad: pl.Series, what: str) -> None:
        """Name the first bad row and count the others."""
        rows = bad.arg_true()
        if len(rows):
            value = frame[name][int(rows[0])]
            raise InputError(
                f"{'the value' if value is None else value} {what} ({len(rows)} such rows)",
                where=self.table.place(int(frame[ROW][int(rows[0])]), name),
                remedy="fix these rows or leave the lesions out of both tables",
            )

    def _refuse_repeated(self, ids: pl.Series) -> None:
        repeated = ids.filter(ids.is_duplicated()).unique(maintain_order=True)
        if len(repeated):
            raise InputError(
                f"{len(repeated)} ids stand in more than one row: {shorten(repeated.to_list(), SHOWN)}",
                where=f"{self.table.path}, column {ids.name}",
                remedy="keep one row for each lesion",
            )
