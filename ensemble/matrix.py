"""The design matrix: feature columns by name and order, categories as codes of stored levels."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.columns import NEVER_FEATURES
from cohort.frames import ID
from engine.errors import InputError

Array = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
_BLOCK = 16_384  # rows copied at a time, so that the row-major copy never doubles the table
_TURNED = 4_096  # rows transposed at a time, so that they stay in the processor's cache


@dataclass(frozen=True)
class FeatureSpace:
    """The features a model knows, in order, with the levels of the categorical ones.

    Attributes:
        names: Feature names in model order.
        levels: For each categorical feature, its known levels, sorted; a level's code is its position.
    """

    names: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]

    @classmethod
    def fit(cls, frame: pl.DataFrame, *, learned_from: Flags | None = None) -> FeatureSpace:
        """Learn names, order and category levels from a training feature table.

        Args:
            frame: `isic_id` and one column per feature: String columns are categories, the others numbers.
            learned_from: Rows whose categories become levels, shape (rows,); None takes all.

        Raises:
            InputError: No model may see one of the columns (a label, an id, a train-only column).
        """
        names = tuple(name for name in frame.columns if name != ID)
        if forbidden := sorted(set(names) & NEVER_FEATURES):
            raise InputError(
                f"columns {', '.join(forbidden)} must never reach a model",
                where="feature table",
                remedy="leave them out; they are labels, identifiers or known only after the diagnosis",
            )
        known = pl.Series(np.full(frame.height, True) if learned_from is None else learned_from)
        words = [name for name in names if frame[name].dtype == pl.String]
        return cls(names, {name: tuple(frame[name].filter(known).drop_nulls().unique().sort()) for name in words})

    @property
    def categorical(self) -> tuple[int, ...]:
        """Positions of the categorical features."""
        return tuple(i for i, name in enumerate(self.names) if name in self.levels)

    def restricted(self, names: Collection[str]) -> FeatureSpace:
        """The space of some of the features, in the order of this one.

        Raises:
            InputError: A name is not in it.
        """
        if unknown := sorted(set(names) - set(self.names)):
            raise InputError(
                f"there are no features {', '.join(unknown[:3])}", where="feature table", remedy="build them first"
            )
        wanted = set(names)
        kept = {name: levels for name, levels in self.levels.items() if name in wanted}
        return FeatureSpace(tuple(name for name in self.names if name in wanted), kept)

    def encode(self, frame: pl.DataFrame) -> Matrix:
        """Bring a feature table into model order; features that the model does not know are dropped.

        Args:
            frame: Features by name, any column order. An absent feature counts as missing in every row, and a
                category level not seen in training as missing where it occurs.

        Returns:
            A matrix of shape (rows, features); missing is NaN.

        Raises:
            InputError: A value is infinite.
        """
        columns = [self._column(frame, name) for name in self.names]
        values = np.empty((frame.height, len(columns)), dtype=np.float32)
        for start in range(0, frame.height, _BLOCK):
            block = slice(start, min(start + _BLOCK, frame.height))
            for position, column in enumerate(columns):
                values[block, position] = column[block]
        _refuse_infinite(values, self.names)
        return Matrix(self, values)

    def _column(self, frame: pl.DataFrame, name: str) -> Array:
        known = self.levels.get(name)
        if name not in frame.columns or known == ():
            return np.full(frame.height, np.nan, dtype=np.float32)
        column = frame[name]
        if known:
            column = column.replace_strict(known, range(len(known)), default=None, return_dtype=pl.Float32)
        return column.cast(pl.Float32).to_numpy()

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"names": list(self.names), "levels": {name: list(levels) for name, levels in self.levels.items()}}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> FeatureSpace:
        """Read the JSON form back."""
        return cls(tuple(value["names"]), {name: tuple(levels) for name, levels in value["levels"].items()})


@dataclass(frozen=True)
class Matrix:
    """Rows ready for a learner.

    Attributes:
        space: Names, order and category levels.
        values: float32, shape (rows, features), row-major; categories as codes; NaN where missing, never infinite.
    """

    space: FeatureSpace
    values: Array

    def __len__(self) -> int:
        return len(self.values)

    def rows(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Matrix:
        """The chosen rows, as a copy."""
        return Matrix(self.space, self.values[index])

    def part(self, rows: npt.NDArray[np.intp], features: Collection[str]) -> Matrix:
        """The chosen rows of some features, as a copy."""
        space = self.space.restricted(features)
        if space.names == self.space.names:
            return self.rows(rows)
        places = self.places(space)
        values = np.empty((len(rows), len(places)), dtype=np.float32)
        for start in range(0, len(rows), _BLOCK):  # rows, then columns: far faster than both at once
            block = slice(start, start + _BLOCK)
            values[block] = np.take(np.take(self.values, rows[block], axis=0), places, axis=1)
        return Matrix(space, values)

    @cached_property
    def columns(self) -> Array:
        """The values with each feature contiguous, shape (features, rows): a copy that is made once and kept."""
        turned = np.empty(self.values.shape[::-1], dtype=np.float32)
        for start in range(0, len(self), _TURNED):
            block = slice(start, start + _TURNED)
            turned[:, block] = self.values[block].T
        return turned

    def for_model(self, space: FeatureSpace) -> Array:
        """The values in the order another space asks for.

        Raises:
            InputError: A feature is absent or its category codes mean something else.
        """
        return self.values if space == self.space else np.take(self.values, self.places(space), axis=1)

    def places(self, space: FeatureSpace) -> list[int]:
        """Positions in this space of the features of another one, shape (features of that space,).

        Raises:
            InputError: A feature is absent or its category codes mean something else.
        """
        place = {name: position for position, name in enumerate(self.space.names)}
        absent = [name for name in space.names if name not in place]
        if absent or any(self.space.levels.get(name) != space.levels.get(name) for name in space.names):
            raise InputError(
                f"the matrix does not fit the model (absent: {', '.join(absent) or 'none'}; or other category levels)",
                where="model",
                remedy="encode the features with the model's own feature space",
            )
        return [place[name] for name in space.names]


def _refuse_infinite(values: Array, names: tuple[str, ...]) -> None:
    for start in range(0, len(values), _BLOCK):
        infinite = np.isinf(values[start : start + _BLOCK])
        if infinite.any():
            row, column = np.argwhere(infinite)[0]
            raise InputError(
                "a value is infinite",
                where=f"feature {names[column]}, row {start + row + 1}",
                remedy="replace it by a number or leave it empty",
            )
