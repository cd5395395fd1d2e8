"""Joins a table of image scores and embeddings to the canonical frame, under names that no lesion table has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.columns import NEVER_FEATURES
from cohort.frames import ID, join_by_id
from cohort.parquet_batches import DAMAGE, read_parquet
from engine.errors import InputError
from engine.files import refuse_special
from features.arithmetic.segments import Floats

SCORE_PREFIX = "image:"
"""Prefix of the names of joined scores."""
EMBEDDING_PREFIX = "embedding:"
"""Prefix of the names of joined embeddings."""
WHERE = "image table"
"""Place named in errors about the table."""
_CLIP = 1e-7


def read_image_table(path: Path) -> pl.DataFrame:
    """Read a table of image scores: `isic_id`, scores and optionally `embedding`.

    Raises:
        InputError: The file is missing, damaged or not Parquet.
    """
    refuse_special(path)
    try:
        return read_parquet(path)
    except FileNotFoundError as error:
        raise InputError("no such file", where=str(path), remedy="check the path") from error
    except DAMAGE as error:
        raise InputError(
            "not a readable Parquet file",
            where=str(path),
            remedy="give a Parquet table with columns isic_id, score[, embedding]",
        ) from error


def join_images(frame: pl.DataFrame, images: pl.DataFrame | None) -> pl.DataFrame:
    """Add an image table to the canonical frame; lesions that it lacks get nulls.

    Args:
        frame: Canonical frame.
        images: `isic_id`, scores, and embeddings if there are any, see `joined_names`; None adds nothing.

    Raises:
        InputError: The table has no `isic_id`, an id twice, no score, or embeddings of several lengths in one column.
    """
    if images is None:
        return frame
    names = joined_names(images.schema)
    check_ids(images[ID])
    return join_by_id(frame, images.select(ID, *(_column(images[name], new) for name, new in names.items())))


def joined_names(schema: Mapping[str, pl.DataType]) -> dict[str, str]:
    """The columns of an image table to join, and their new names.

    Every numeric column that is not a key, a label or a fold is a score. Every list or array named `embedding` or
    `embedding_...` holds the embeddings of one network.

    Raises:
        InputError: The table has no `isic_id`, ids that are not text, or no score.
    """
    if ID not in schema:
        raise InputError("no column 'isic_id'", where=WHERE, remedy="give columns isic_id, score[, embedding]")
    if schema[ID] != pl.String:
        raise InputError("isic_id is not text", where=WHERE, remedy="write ids as text, such as ISIC_0015670")
    allowed = {name: dtype for name, dtype in schema.items() if name not in NEVER_FEATURES}
    scores = {name: SCORE_PREFIX + name for name, dtype in allowed.items() if dtype.is_numeric()}
    embeddings = {name: EMBEDDING_PREFIX + name for name, dtype in allowed.items() if is_embedding(name, dtype)}
    if not scores and not embeddings:
        raise InputError("no score", where=WHERE, remedy="give at least one numeric column next to isic_id")
    return {name: (scores | embeddings)[name] for name in schema if name in scores or name in embeddings}


def is_embedding(name: str, dtype: pl.DataType) -> bool:
    """Whether a column of an image table holds embeddings."""
    return isinstance(dtype, pl.List | pl.Array) and (name == "embedding" or name.startswith("embedding_"))


def has_image(ids: pl.Series, images: pl.DataFrame | None) -> NDArray[np.bool_]:
    """Which lesions have a crop according to an image table: a score, or an embedding if it has no scores.

    Args:
        ids: `isic_id` of n lesions.
        images: As for `join_images`; missing values may be null or NaN.

    Returns:
        Shape (n,).

    Raises:
        InputError: As `join_images`.
    """
    if images is None:
        return np.zeros(ids.len(), dtype=np.bool_)
    names = joined_names(images.schema)
    scores = [name for name in names if images.schema[name].is_numeric()]
    joined = join_images(ids.to_frame(ID), images.select(ID, *(scores or names))).drop(ID)
    known = [series.to_numpy() if scores else embedding_matrix(series)[:, 0] for series in joined]
    return np.asarray(np.isfinite(np.stack(known)).any(axis=0), dtype=np.bool_)


def check_ids(ids: pl.Series) -> None:
    """Check that no `isic_id` occurs twice in an image table.

    Raises:
        InputError: One does.
    """
    if ids.n_unique() != ids.len():
        raise InputError("an isic_id occurs twice", where=WHERE, remedy="give one row a lesion")


def lengths(embeddings: pl.Series) -> set[int]:
    """The lengths of the embeddings in a list or array column."""
    if isinstance(embeddings.dtype, pl.Array):
        return {embeddings.dtype.size}
    return set(embeddings.list.len().drop_nulls().unique().to_list())


def one_length(found: set[int]) -> int:
    """The single length in `found`.

    Raises:
        InputError: There are several, or none.
    """
    if len(found) != 1:
        raise InputError(f"embeddings of lengths {sorted(found)}", where=WHERE, remedy="give all the same length")
    return min(found)


def _column(series: pl.Series, name: str) -> pl.Series:
    if series.dtype.is_numeric():
        return series.cast(pl.Float64).alias(name)
    if isinstance(series.dtype, pl.Array):
        return series.alias(name)
    return series.list.to_array(one_length(lengths(series))).alias(name)


def logit(score: Floats) -> Floats:
    """ln(p / (1 - p)), p held in [1e-7, 1 - 1e-7]; NaN for a score outside [0, 1]."""
    inside = np.where((score >= 0) & (score <= 1), score, np.nan)
    p = np.clip(inside, _CLIP, 1.0 - _CLIP)
    return np.asarray(np.log(p) - np.log1p(-p), dtype=np.float64)


def embedding_matrix(series: pl.Series) -> Floats:
    """An embedding column as a matrix (n, d); a row without an embedding, or with a non-finite part, is NaN."""
    matrix = series.to_numpy().astype(np.float64)
    matrix[~np.isfinite(matrix).all(axis=1)] = np.nan
    return matrix
