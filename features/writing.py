"""Feature tables written as they are computed, block by block; only a few blocks are held in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from cohort.frames import ID
from cohort.lesions import CHECKSUM, Checksum
from engine.executors import Executor, LocalExecutor
from engine.files import atomic_path
from features.building import FeaturePlan, to_arrow
from features.patients.block import Block, blocks
from features.patients.image_tables import join_images
from features.patients.state import FeatureState

ROW_GROUP = 32_768
"""Minimum rows of a row group."""


def write_features(
    frame: pl.DataFrame,
    out: Path,
    groups: Sequence[str],
    *,
    state: FeatureState | None = None,
    images: pl.DataFrame | None = None,
    executor: Executor | None = None,
) -> FeaturePlan:
    """Write the feature table of lesions in memory, without ever holding the whole table.

    Args:
        frame: Canonical frame, sorted by (patient_id, isic_id).
        out: The feature table, bit for bit that of `features.build`.
        groups: Switches.
        state: Cohort constants.
        images: Image scores.
        executor: Runs the blocks; by default on two cores of this machine.

    Returns:
        What was built, and with which constants.

    Raises:
        InputError: As in `features.build`, or the table cannot be written.
    """
    joined = join_images(frame, images)
    plan = FeaturePlan.of(joined.columns, groups, state)
    write_blocks((block for _, block in blocks(joined, carried(plan))), plan, out, executor)
    return plan


def carried(plan: FeaturePlan) -> list[str]:
    """Columns of the canonical frame that a block needs so that the rows of `plan` can be written."""
    return list(dict.fromkeys((ID, *plan.columns, *plan.categories)))


def write_blocks(blocks: Iterable[Block], plan: FeaturePlan, out: Path, executor: Executor | None = None) -> None:
    """Write the feature table of `blocks`, in their order, with the checksum of its ids.

    Args:
        blocks: Blocks of whole patients with the columns `carried(plan)`.
        plan: What to build.
        out: The feature table.
        executor: As for `write_features`.
    """
    schema = _schema(plan)
    with atomic_path(out) as temporary, _writer(temporary, schema, plan) as writer:
        checksum = Checksum()
        for table in _row_groups((executor or LocalExecutor(2)).map(_batch, (plan, schema), blocks), schema):
            checksum.add(table[ID].to_pylist())
            writer.write_table(table, row_group_size=max(table.num_rows, 1))
        writer.add_key_value_metadata({CHECKSUM: checksum.value})


def _schema(plan: FeaturePlan) -> pa.Schema:
    fields = [(spec.name, pa.float32() if spec.kind == "numeric" else pa.large_string()) for spec in plan.specs]
    return pa.schema([(ID, pa.large_string()), *fields])


def _writer(path: Path, schema: pa.Schema, plan: FeaturePlan) -> pq.ParquetWriter:
    """Numbers hardly repeat, and nobody filters by them: no dictionaries, no statistics, the fastest compression."""
    return pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=plan.categories, write_statistics=False)


def _batch(shared: tuple[FeaturePlan, pa.Schema], block: Block, _cores: int) -> pa.RecordBatch:
    plan, schema = shared
    numbers = {name: to_arrow(values.astype(np.float32)) for name, values in plan.compute(block)}
    texts = {
        name: block.frame[name].cast(pl.String).to_arrow().cast(pa.large_string()) for name in (ID, *plan.categories)
    }
    return pa.RecordBatch.from_arrays([(numbers | texts)[name] for name in schema.names], schema=schema)


def _row_groups(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(one.num_rows for one in waiting) >= ROW_GROUP:
            yield pa.Table.from_batches(waiting, schema)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting, schema)
