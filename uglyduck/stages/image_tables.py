"""The scores of the training lesions by several image models, in one table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from cohort.parquet_batches import batches, open_parquet
from engine.files import atomic_path
from submissions.image_models import ImageModel, side_by_side
from uglyduck.run.run import Run

_ROWS = 16_384


def write_side_by_side(run: Run) -> list[Path]:
    """Write images/scores.parquet, a few rows at a time; nothing if there is one model, whose own table serves.

    Returns:
        What was written.
    """
    models, out = run.image_models, run.folder.image_scores
    if len(models) < 2:
        return []
    parts = [_parts(run, model) for model in models]
    with atomic_path(out) as temporary:
        writer: pq.ParquetWriter | None = None
        for tables in zip(*parts, strict=True):
            joined = side_by_side(tables, models).to_arrow()
            writer = writer or pq.ParquetWriter(temporary, joined.schema, compression="zstd")
            writer.write_table(joined)
        if writer is not None:
            writer.close()
    return [out]


def _parts(run: Run, model: ImageModel) -> Iterator[pl.DataFrame]:
    """The table of a model, whose rows are those of the run; with embeddings, if it has any."""
    scores, embeddings = run.image_tables(model)
    opened = open_parquet(embeddings if embeddings.is_file() else scores)
    return batches(opened, list(opened.schema_arrow.names), _ROWS)
