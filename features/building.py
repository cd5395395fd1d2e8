"""From a canonical frame to its feature table, block by block."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from cohort.frames import ID
from engine.executors import Executor, LocalExecutor
from features.arithmetic.segments import Floats
from features.builtin import builtin_state
from features.groups.specs import FeatureSpec
from features.patients.block import Block, blocks
from features.patients.image_tables import join_images
from features.patients.state import FeatureState
from features.registry import DEFAULT_GROUPS, all_groups, dictionary

Singles = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class FeaturePlan:
    """What to build.

    Attributes:
        specs: The features, in the order of the table.
        state: Cohort constants.
    """

    specs: tuple[FeatureSpec, ...]
    state: FeatureState

    @classmethod
    def of(cls, columns: Collection[str], groups: Sequence[str], state: FeatureState | None) -> FeaturePlan:
        """The plan for a table with `columns`, image scores included."""
        return cls(tuple(dictionary(columns, groups)), state or builtin_state())

    @property
    def numeric(self) -> list[FeatureSpec]:
        """The numeric features."""
        return [spec for spec in self.specs if spec.kind == "numeric"]

    @property
    def categories(self) -> list[str]:
        """The features copied from the frame unchanged."""
        return [spec.name for spec in self.specs if spec.kind == "category"]

    @property
    def columns(self) -> list[str]:
        """Columns the numbers are computed from."""
        return list(dict.fromkeys(need for spec in self.numeric for need in spec.needs))

    def compute(self, block: Block) -> Iterator[tuple[str, Floats]]:
        """The numbers of one block, each (n,), NaN for missing."""
        for name, group in all_groups().items():
            wanted = [spec for spec in self.numeric if spec.group == name]
            if wanted:
                yield from group.compute(block, self.state, wanted)


def build(
    frame: pl.DataFrame,
    groups: Sequence[str] = DEFAULT_GROUPS,
    *,
    state: FeatureState | None = None,
    images: pl.DataFrame | None = None,
    executor: Executor | None = None,
) -> pl.DataFrame:
    """Compute the feature table of a cohort.

    A patient's features depend only on that patient's rows and on `state`: they are the same to the last bit alone or
    in a batch, in any row order and with any executor.

    Args:
        frame: Canonical frame; `target` and the rest of `cohort.columns.NEVER_FEATURES` are not read.
        groups: Switches, see `features.registry.dictionary`.
        state: Cohort constants from `features.fit`; by default those of the simulated cohort.
        images: Image scores for the group `image`, see `features.patients.image_tables`.
        executor: Runs the blocks; by default on two cores of this machine.

    Returns:
        `isic_id`, then Float32 and String columns; rows in the order of `frame`; missing is null, never NaN.

    Raises:
        InputError: A switch is unknown, a key column is missing or has nulls, or the image table is invalid.
    """
    joined = join_images(frame, images)
    plan = FeaturePlan.of(joined.columns, groups, state)
    table = {spec.name: np.empty(frame.height, dtype=np.float32) for spec in plan.numeric}
    for rows, numbers in (executor or LocalExecutor(2)).map(_numbers, plan, blocks(joined, plan.columns)):
        place = _as_slice(rows)
        for name, values in numbers.items():
            table[name][place] = values
    columns = (
        joined[spec.name]
        if spec.kind == "category"
        else pl.Series(spec.name, pl.from_arrow(to_arrow(table.pop(spec.name))))
        for spec in plan.specs
    )  # each column takes over its array's memory
    return pl.DataFrame([joined[ID], *columns])


def _numbers(plan: FeaturePlan, item: tuple[Rows, Block], _cores: int) -> tuple[Rows, dict[str, Singles]]:
    rows, block = item
    return rows, {name: values.astype(np.float32) for name, values in plan.compute(block)}


def _as_slice(rows: Rows) -> slice | Rows:
    """Consecutive `rows` as a slice, which is faster."""
    consecutive = bool(np.all(rows[1:] == rows[:-1] + 1))
    return slice(int(rows[0]), int(rows[-1]) + 1) if consecutive else rows


def to_arrow(values: Singles) -> pa.Array:
    """An arrow array sharing the memory of `values`, NaN as null."""
    missing = np.isnan(values)
    mask = pa.py_buffer(np.packbits(~missing, bitorder="little")) if missing.any() else None
    return pa.Array.from_buffers(pa.float32(), values.size, [mask, pa.py_buffer(values)])
