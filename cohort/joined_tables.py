"""Several tables of the same lesions, lesion by lesion or patient by patient, read as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from cohort.cells import ROW, CellError, shown
from cohort.frames import collect
from cohort.tables import SourceTable, open_table
from engine.errors import InputError


@dataclass
class JoinedTable:
    """A table with the columns that others add to its rows; see `cohort.tables.SourceTable`.

    Each of the others is joined by its first column that `first` has too. A column that several have is taken from
    the first of them.
    """

    first: SourceTable
    others: Sequence[SourceTable]
    path: Path = field(init=False)
    header: list[str] = field(init=False)
    _keys: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.path = self.first.path
        self._keys = [_key(self.first, other) for other in self.others]
        self.header = list(dict.fromkeys(name for table in (self.first, *self.others) for name in table.header))

    @property
    def habits(self) -> set[str]:
        """See `cohort.tables.SourceTable`."""
        joined = {f"joined with {other.path.name} by {key}" for other, key in zip(self.others, self._keys, strict=True)}
        return joined.union(*(table.habits for table in (self.first, *self.others)))

    def read(self, dtypes: Mapping[str, pl.DataType], unread: list[CellError] | None = None) -> pl.DataFrame:
        """See `cohort.tables.SourceTable.read`."""
        parts = {
            index: {n: t for n, t in dtypes.items() if self._owner(n) is table}
            for index, table in enumerate(self.others)
        }
        keys = {self._keys[index]: pl.String() for index, wanted in parts.items() if wanted}
        frame = self.first.read(keys | {n: t for n, t in dtypes.items() if n in self.first.header}, unread)
        for index, wanted in parts.items():
            if wanted:
                frame = _joined(frame, self.others[index], self._keys[index], wanted, unread)
        return frame.select(ROW, *dtypes)

    def text(self, column: str) -> pl.Series:
        """See `cohort.tables.SourceTable.text`; for a joined column, its own rows."""
        return self._owner(column).text(column)

    def place(self, row: int, column: str | None = None) -> str:
        """See `cohort.tables.SourceTable.place`; for a joined column without the row, which differs there."""
        owner = self.first if column is None else self._owner(column)
        return self.first.place(row, column) if owner is self.first else f"{owner.path}, column {column}"

    def _owner(self, column: str) -> SourceTable:
        return next((table for table in (self.first, *self.others) if column in table.header), self.first)


def open_joined(path: Path, others: Sequence[Path]) -> SourceTable:
    """A table with the columns of `others`.

    Raises:
        InputError: A table cannot be opened, or has no column in common with the first.
    """
    first = open_table(path)
    return JoinedTable(first, [open_table(other) for other in others]) if others else first


def _key(first: SourceTable, other: SourceTable) -> str:
    for name in other.header:
        if name in first.header:
            return name
    raise InputError(
        f"no column of it is one of {first.path.name}, so it cannot be joined",
        where=str(other.path),
        remedy="give the column that names the lesion or the patient the same name in both tables",
    )


def _joined(
    frame: pl.DataFrame,
    other: SourceTable,
    key: str,
    dtypes: Mapping[str, pl.DataType],
    unread: list[CellError] | None,
) -> pl.DataFrame:
    right = other.read({key: pl.String(), **dtypes}, unread).filter(pl.col(key).is_not_null())
    twice = right.filter(pl.col(key).is_duplicated())
    if len(twice):
        raise InputError(
            f"{key} {shown(twice[key][0])} is there more than once, so it cannot be joined by it",
            where=other.place(twice[ROW][0], key),
            remedy="keep one row of each",
        )
    if not frame[key].is_in(right[key].implode()).any():
        raise InputError(
            f"not one {key} of it is in the first table",
            where=str(other.path),
            remedy="give tables of the same lesions",
        )
    return collect(frame.lazy().join(right.lazy().drop(ROW), on=key, how="left", validate="m:1", maintain_order="left"))
