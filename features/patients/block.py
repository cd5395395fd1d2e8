"""Blocks of whole patients: the unit that every patient-relative number is computed on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.frames import ID
from cohort.whole_patients import PATIENT, cuts, first_rows
from engine.errors import InputError
from features.arithmetic.segments import Floats, Segments
from features.patients.comparison import Comparison
from features.patients.engineered import ENGINEERED, Engineered
from features.patients.measures import COLUMN_OF

BLOCK_ROWS = 16_384
"""Minimum rows of a block: few enough for a column to stay in the processor's cache."""
_ENGINEERED = {one.name: one for one in ENGINEERED}
_NOT_STATED = ("Unknown",)
"""Levels that mean that a place is unknown; such a lesion shares its place with no other."""


@dataclass(eq=False)
class Block:
    """The lesions of some whole patients, sorted by patient and then by `isic_id`.

    Attributes:
        frame: `patient_id` and the columns that the numbers are computed from.
        patients: The partition into patients.
        comparisons: Each number compared within the patient, shared by the groups that need it.
    """

    frame: pl.DataFrame
    patients: Segments
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    _numbers: dict[str, Floats] = field(default_factory=dict)
    _codes: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    _scopes: dict[str, Segments] = field(default_factory=dict)

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Block:
        """The block of a frame of whole patients that is sorted by `patient_id` and `isic_id`."""
        sizes = np.diff(np.append(first_rows(frame[PATIENT]), frame.height))
        return cls(frame, Segments.from_sizes(sizes))

    @property
    def size(self) -> int:
        """Number of lesions."""
        return self.frame.height

    def number(self, name: str) -> Floats:
        """A numeric column or an engineered number, (n,); missing, NaN and infinite values are NaN."""
        if name not in self._numbers:
            one = _ENGINEERED.get(name)
            self._numbers[name] = self._column(name) if one is None else self._engineered(one)
        return self._numbers[name]

    def _column(self, name: str) -> Floats:
        values = self.frame[name].cast(pl.Float64).to_numpy().copy()
        values[~np.isfinite(values)] = np.nan
        return values

    def _engineered(self, one: Engineered) -> Floats:
        return one.formula({name: self.number(COLUMN_OF[name]) for name in one.formula.names})

    def scope(self, *columns: str) -> Segments:
        """The partition into lesions of one patient that agree in `columns`; one without a value stands alone."""
        key = " ".join(columns)
        if key not in self._scopes:
            codes = self.patients.ids.astype(np.int64)
            for column in columns:
                codes = _refine(codes, self._levels(column))
            self._scopes[key] = Segments.from_codes(codes)
        return self._scopes[key]

    def stated(self, column: str) -> NDArray[np.bool_]:
        """Whether the category or number `column` has a value, (n,)."""
        return self._levels(column) >= 0

    def names(self, column: str) -> tuple[list[str], NDArray[np.intp]]:
        """The levels of a category in the block, "" for not stated, and which of them each lesion has, (n,)."""
        series = self.frame[column].fill_null("")
        levels = series.unique().sort()
        return levels.to_list(), levels.search_sorted(series).to_numpy().astype(np.intp)

    def _levels(self, column: str) -> NDArray[np.int64]:
        if column not in self._codes:
            self._codes[column] = self._rank_levels(column)
        return self._codes[column]

    def _rank_levels(self, column: str) -> NDArray[np.int64]:
        series = self.frame[column]
        if series.dtype.is_numeric():
            series = pl.Series(column, self.number(column), nan_to_null=True)
        else:
            series = series.set(series.is_in(_NOT_STATED), None)
        codes = series.rank("dense").cast(pl.Int64).fill_null(0) - 1
        return codes.to_numpy()


def _refine(codes: NDArray[np.int64], levels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Split the segments `codes` by `levels`; a level of -1 stands alone."""
    alone = levels.max(initial=0) + 1 + np.arange(levels.size)
    levels = np.where(levels < 0, alone, levels)
    joint = codes * (int(levels.max(initial=0)) + 1) + levels
    return np.asarray(np.unique(joint, return_inverse=True)[1], dtype=np.int64)


def patient_order(frame: pl.DataFrame) -> NDArray[np.intp]:
    """Row numbers of `frame` in the order of (patient_id, isic_id).

    Raises:
        InputError: A key column is missing or has a null.
    """
    for key in (PATIENT, ID):
        if key not in frame.columns:
            raise InputError(f"no column {key!r}", remedy="give the canonical frame of cohort.reading")
        if frame[key].null_count():
            raise InputError(f"{key} is empty in {frame[key].null_count()} rows", remedy="give each lesion one")
    keys = frame.select(PATIENT, ID).with_row_index("row")
    return keys.sort(PATIENT, ID)["row"].to_numpy().astype(np.intp)


def blocks(frame: pl.DataFrame, columns: Sequence[str]) -> Iterator[tuple[NDArray[np.intp], Block]]:
    """Cut a frame into blocks of whole patients, of at least `BLOCK_ROWS` rows.

    Args:
        frame: Canonical frame, rows in any order.
        columns: Columns to carry.

    Yields:
        The block's row numbers in `frame`, and the block.
    """
    order = patient_order(frame)
    sorted_already = bool(np.all(order[1:] > order[:-1]))
    table = frame.select(list(dict.fromkeys((PATIENT, *columns))))
    for begin, end in cuts(frame[PATIENT].gather(order), BLOCK_ROWS):
        part = order[begin:end]
        yield part, Block.of(table.slice(begin, end - begin) if sorted_already else table[part])
