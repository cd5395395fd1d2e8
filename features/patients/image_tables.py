"""Joins a table of image scores to the canonical frame, under names that no column of a lesion table has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from cohort.columns import NEVER_FEATURES
from cohort.frames import ID, join_by_id
from engine.errors import InputError
from features.arithmetic.segments import Floats

PREFIX = "image:"
"""What the joined columns' names start with."""
EMBEDDING = f"{PREFIX}embedding"
"""The joined embedding."""
_CLIP = 1e-7
_WHERE = "image table"


def read_image_table(path: Path) -> pl.DataFrame:
    """Read a table of image scores: `isic_id`, scores and optionally `embedding`.

    Raises:
        InputError: The file is no Parquet, or it is damaged.
    """
    try:
        return pl.read_parquet(path, glob=False)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise InputError(
            "not a readable Parquet file",
            where=str(path),
            remedy="give a Parquet table with columns isic_id, score[, embedding]",
        ) from error


def join_images(frame: pl.DataFrame, images: pl.DataFrame | None) -> pl.DataFrame:
    """Add an image table to the canonical frame; a lesion that it lacks has nulls.

    Args:
        frame: Canonical frame.
        images: `isic_id`, scores and optionally `embedding`; None adds nothing.

    Raises:
        InputError: The table has no `isic_id`, ids that are not text, an id twice, or no score.
    """
    if images is None:
        return frame
    if ID not in images.columns:
        raise InputError("no column 'isic_id'", where=_WHERE, remedy="give columns isic_id, score[, embedding]")
    if images.schema[ID] != pl.String:
        raise InputError("isic_id is not text", where=_WHERE, remedy="write ids as text, such as ISIC_0015670")
    if images[ID].is_duplicated().any():
        raise InputError("an isic_id occurs twice", where=_WHERE, remedy="give one row a lesion")
    columns = [_column(images, name) for name in images.columns if _wanted(images, name)]
    if not columns:
        raise InputError("no score", where=_WHERE, remedy="give at least one numeric column besides isic_id")
    return join_by_id(frame, images.select(ID, *columns))


def _wanted(images: pl.DataFrame, name: str) -> bool:
    nested = isinstance(images.schema[name], pl.List | pl.Array)
    return name not in NEVER_FEATURES and (images.schema[name].is_numeric() or (nested and name == "embedding"))


def _column(images: pl.DataFrame, name: str) -> pl.Series:
    series = images[name].alias(PREFIX + name)
    if series.dtype.is_numeric():
        return series.cast(pl.Float64)
    if isinstance(series.dtype, pl.Array):
        return series
    widths = series.list.len().drop_nulls().unique().to_list()
    if len(widths) != 1:
        raise InputError(f"embeddings of lengths {sorted(widths)}", where=_WHERE, remedy="give all the same length")
    return series.list.to_array(widths[0])


def logit(score: Floats) -> Floats:
    """ln(p / (1 - p)), p held in [1e-7, 1 - 1e-7]; NaN for a score outside [0, 1]."""
    inside = np.where((score >= 0) & (score <= 1), score, np.nan)
    p = np.clip(inside, _CLIP, 1.0 - _CLIP)
    return np.asarray(np.log(p) - np.log1p(-p), dtype=np.float64)


def embedding_matrix(series: pl.Series) -> Floats:
    """An embedding column as a matrix (n, d); a row without an embedding, or with a part that is not finite, is NaN."""
    matrix = series.to_numpy().astype(np.float64)
    matrix[~np.isfinite(matrix).all(axis=1)] = np.nan
    return matrix
