"""Feature tables that are written as they are computed, Parquet to Parquet, by whole patients.

What is held in memory does not grow with the table, but for 8 bytes a patient and the footer of the written file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from cohort.frames import ID
from cohort.lesions import CHECKSUM, Checksum
from engine.errors import InputError
from engine.files import atomic_path
from engine.work import THREADS, in_turn, workers
from features.building import Plan, to_arrow
from features.patients.block import Block, blocks
from features.patients.image_tables import join_images
from features.patients.state import FeatureState
from features.registry import DEFAULT_GROUPS
from features.whole_patients import whole_patients

ROW_GROUP = 32_768
"""Rows of a row group, at least."""


def build_parquet(
    source: Path,
    out: Path,
    groups: Sequence[str] = DEFAULT_GROUPS,
    *,
    state: FeatureState | None = None,
    images: pl.DataFrame | None = None,
    threads: int = THREADS,
) -> Plan:
    """Compute the feature table of a canonical Parquet table that may be larger than memory.

    Args:
        source: Canonical frame as Parquet. Where a patient's rows are not together, the table is first dealt into
            temporary files beside `out`.
        out: The feature table, bit for bit that of `features.build`. A canonical table keeps its order; of any other,
            rows come by patient: join by `isic_id`.
        groups: Switches.
        state: Cohort constants.
        images: Image scores, in memory.
        threads: Blocks worked on at once.

    Returns:
        What was built, with which constants.

    Raises:
        InputError: `source` can not be read, or as in `features.build`.
    """
    out = Path(out)
    with _scratch(out) as scratch:
        frames = whole_patients(Path(source), Path(scratch), ROW_GROUP)
        return write_features(frames, out, groups, state=state, images=images, threads=threads)


def _scratch(out: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(prefix=".features-", dir=out.parent)
    except OSError as error:
        raise InputError(
            f"cannot write here ({error.strerror})", where=str(out), remedy="choose a folder you can write to"
        ) from error


def write_features(
    frames: Iterable[pl.DataFrame],
    out: Path,
    groups: Sequence[str],
    *,
    state: FeatureState | None = None,
    images: pl.DataFrame | None = None,
    threads: int = THREADS,
) -> Plan:
    """Write the feature table of `frames`, canonical frames of whole patients; see `build_parquet`."""
    joined = (join_images(frame, images) for frame in frames)
    first = next(joined)
    plan = Plan.of(first, groups, state)
    schema = _schema(plan)
    columns = list(dict.fromkeys((ID, *plan.columns, *plan.categories)))
    cuts = (block for frame in chain((first,), joined) for _, block in blocks(frame, columns))
    with atomic_path(out) as temporary, _writer(temporary, schema, plan) as writer, workers(threads) as pool:
        batches = in_turn(pool, lambda block: _batch(block, plan, schema), cuts, threads)
        checksum = Checksum()
        for table in _row_groups(batches, schema):
            checksum.add(table[ID].to_pylist())
            writer.write_table(table, row_group_size=max(table.num_rows, 1))
        writer.add_key_value_metadata({CHECKSUM: checksum.value})
    return plan


def _schema(plan: Plan) -> pa.Schema:
    fields = [(spec.name, pa.float32() if spec.kind == "numeric" else pa.large_string()) for spec in plan.specs]
    return pa.schema([(ID, pa.large_string()), *fields])


def _writer(path: Path, schema: pa.Schema, plan: Plan) -> pq.ParquetWriter:
    """Numbers hardly repeat, and nobody filters by them: no dictionaries, no statistics, the fastest compression."""
    return pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=plan.categories, write_statistics=False)


def _batch(block: Block, plan: Plan, schema: pa.Schema) -> pa.RecordBatch:
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
