"""The feature stage of a run: fit the cohort constants, write the feature table and its dictionary, out of core."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cohort.columns import CATEGORICAL, NUMERIC
from cohort.frames import ID
from cohort.parquet_batches import open_parquet
from cohort.whole_patients import PATIENT, read_whole_patients
from engine.errors import InputError
from engine.executors import Executor
from engine.files import temporary_prefix, write_json
from features.building import FeaturePlan
from features.fitting import Constants, fit_blocks
from features.ordered_images import OrderedImages, in_order
from features.patients import block
from features.patients.block import Block
from features.patients.numbers import further_categories, further_numbers
from features.patients.state import FeatureState
from features.registry import DEFAULT_GROUPS, own_features
from features.writing import carried, write_blocks


def run_stage(
    lesions: Path,
    groups: Sequence[str] = DEFAULT_GROUPS,
    *,
    out: Path,
    dictionary: Path,
    state: FeatureState | None = None,
    images: Path | None = None,
    executor: Executor | None = None,
) -> FeaturePlan:
    """Fit the constants on a table of lesions that may be larger than memory, and write its feature table.

    The table is read twice, in blocks of whole patients. Memory grows by about 12 kB per patient while the constants
    are fitted, and with an image table by its ids and scores; embeddings are laid out in a temporary file next to
    `out`.

    Args:
        lesions: Canonical Parquet table, sorted by (patient_id, isic_id).
        groups: Switches.
        out: features.parquet, with the rows of `lesions` in order.
        dictionary: features.json: `groups`, `features` (the dictionary) and `state` (the cohort constants).
        state: Cohort constants; by default fitted on `lesions`.
        images: Parquet image table, out of fold; see `features.patients.image_tables`.
        executor: Runs the blocks; by default on two cores of this machine. The result does not depend on it.

    Returns:
        What was built, and with which constants.

    Raises:
        InputError: A table cannot be read or written, `lesions` is not sorted, a user-defined feature needs a column
            that it lacks, or as in `features.build`.
    """
    with _scratch(out) as scratch:
        table = _Table.of(lesions, images, Path(scratch))
        _refuse_lacking(table, groups)
        plan = FeaturePlan.of(table.columns, groups, state or _fit(table, executor))
        write_blocks(table.blocks(carried(plan)), plan, out, executor)
    listed = [spec.as_dict() for spec in plan.specs]
    write_json({"groups": list(groups), "features": listed, "state": plan.state.as_dict()}, dictionary)
    return plan


def _refuse_lacking(table: _Table, groups: Sequence[str]) -> None:
    """Refuse a user-defined feature that cannot be built; others are left out if columns are absent."""
    for one in own_features(groups):
        if absent := sorted(set(one.needs) - set(table.columns)):
            raise InputError(
                f"{one.name} needs {', '.join(absent)}, which the table lacks",
                where=f"[features.own] {one.name}",
                remedy="leave it out, or give the column",
            )


def _fit(table: _Table, executor: Executor | None) -> FeatureState:
    constants = Constants.of(table.columns)
    return fit_blocks(table.blocks(constants.columns), constants, executor)


@dataclass(frozen=True)
class _Table:
    """A lesion table on disk, and the image table that belongs to it."""

    lesions: Path
    own: tuple[str, ...]
    images: OrderedImages | None

    @classmethod
    def of(cls, lesions: Path, images: Path | None, scratch: Path) -> _Table:
        allowed = {ID, PATIENT, *NUMERIC, *CATEGORICAL}
        names = open_parquet(lesions, PATIENT, ID).schema_arrow.names
        allowed |= {*further_numbers(names), *further_categories(names)}
        own = tuple(name for name in names if name in allowed)
        if images is None:
            return cls(lesions, own, None)
        ids = pl.read_parquet(lesions, columns=[ID])[ID]
        return cls(lesions, own, in_order(images, ids, scratch))

    @property
    def columns(self) -> list[str]:
        """Columns that features may use."""
        return [*self.own, *(self.images.columns if self.images else ())]

    def blocks(self, columns: Collection[str]) -> Iterator[Block]:
        """Blocks of whole patients with `columns`, in the order of the table."""
        begin = 0
        for frame in read_whole_patients(self.lesions, block.BLOCK_ROWS, set(columns) & set(self.own)):
            end = begin + frame.height
            yield Block.of(frame.hstack(self.images.rows(begin, end, columns)) if self.images else frame)
            begin = end


def _scratch(out: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(prefix=temporary_prefix(out), dir=out.parent)
    except OSError as error:
        raise InputError(
            f"cannot write here ({error.strerror})", where=str(out), remedy="choose a folder you can write to"
        ) from error
