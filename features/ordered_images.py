"""An image table laid out in the order of the lesions: scores in memory, embeddings on disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.frames import ID, collect
from cohort.parquet_batches import batches, open_parquet, schema_of
from features.arithmetic.segments import Floats
from features.patients.image_tables import check_ids, is_embedding, joined_names, lengths, one_length

_ROWS = 16_384


@dataclass(frozen=True, eq=False)
class OrderedImages:
    """Scores and embeddings of n lesions, in their order, under the names they are joined with.

    Attributes:
        scores: For each score an array (n,), NaN where the image table lacks the lesion.
        embeddings: For each embedding the NumPy file of a matrix (n, d), NaN likewise.
    """

    scores: Mapping[str, Floats]
    embeddings: Mapping[str, Path]

    @property
    def columns(self) -> list[str]:
        """Names of all columns, as `join_images` would join them."""
        return [*self.scores, *self.embeddings]

    def rows(self, begin: int, end: int, columns: Iterable[str]) -> list[pl.Series]:
        """Those of `columns` that exist, for the lesions from `begin` to before `end`."""
        return [self._part(name, begin, end) for name in columns if name in self.scores or name in self.embeddings]

    def _part(self, name: str, begin: int, end: int) -> pl.Series:
        if name in self.scores:
            return pl.Series(name, self.scores[name][begin:end])
        # Reopened each time, so that pages already read do not stay in the process's memory.
        matrix = np.load(self.embeddings[name], mmap_mode="r")[begin:end]
        return pl.Series(name, matrix.astype(np.result_type(matrix, np.float32)))


def in_order(images: Path, lesions: pl.Series, scratch: Path) -> OrderedImages:
    """Lay an image table out in the order of the lesions.

    Args:
        images: Parquet table as `join_images` takes it; never held whole.
        lesions: `isic_id` of all lesions.
        scratch: Folder for the embeddings; it must outlast the result.

    Raises:
        InputError: The image table cannot be read, or as in `join_images`.
    """
    opened = open_parquet(images)
    schema = schema_of(opened)
    names = joined_names(schema)
    places = _places(pl.concat([part[ID] for part in batches(opened, [ID], _ROWS)]), lesions)
    scores, embeddings = {}, {}
    for number, (name, joined) in enumerate(names.items()):
        if is_embedding(name, schema[name]):
            embeddings[joined] = _EmbeddingFile(scratch / f"embedding-{number}.npy", lesions.len())
        else:
            scores[joined] = np.full(lesions.len(), np.nan)
    begin = 0
    for part in batches(opened, list(names), _ROWS):
        where = places[begin : begin + part.height]
        begin += part.height
        for name, joined in names.items():
            if joined in scores:
                scores[joined][where[where >= 0]] = part[name].cast(pl.Float64).to_numpy()[where >= 0]
            else:
                embeddings[joined].put(where, part[name])
    return OrderedImages(scores, {joined: file.finished() for joined, file in embeddings.items()})


def _places(ids: pl.Series, lesions: pl.Series) -> NDArray[np.int64]:
    """The place (n,) of the lesion that each row of the image table belongs to; -1 for none."""
    check_ids(ids)
    if ids.equals(lesions):
        return np.arange(ids.len())
    known = pl.LazyFrame({ID: lesions}).with_row_index("place").cast({"place": pl.Int64})
    joined = pl.LazyFrame({ID: ids}).join(known, on=ID, how="left", validate="1:1", maintain_order="left")
    return collect(joined)["place"].fill_null(-1).to_numpy()


@dataclass(eq=False)
class _EmbeddingFile:
    """A matrix of embeddings on disk that is written a few rows at a time.

    Attributes:
        path: NumPy file.
        lesions: Rows of the matrix.
        lengths: Lengths found among the embeddings.
        written: Which rows have an embedding.
    """

    path: Path
    lesions: int
    lengths: set[int] = field(default_factory=set)
    written: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.written = np.zeros(self.lesions, dtype=np.bool_)

    def put(self, places: NDArray[np.int64], embeddings: pl.Series) -> None:
        """Write `embeddings` (m,) to the rows `places` (m,), except null ones and those whose place is -1."""
        self.lengths |= lengths(embeddings)
        there = embeddings.is_not_null().to_numpy() & (places >= 0)
        if there.any():
            known = embeddings.filter(pl.Series(there))
            width = one_length(self.lengths)
            values = (known if isinstance(known.dtype, pl.Array) else known.list.to_array(width)).to_numpy()
            self._matrix(np.result_type(values, np.float16))[places[there]] = values
            self.written[places[there]] = True

    def finished(self) -> Path:
        """The file, NaN in the rows that were never written."""
        matrix = self._matrix(np.dtype(np.float32))
        matrix[~self.written] = np.nan
        return self.path

    def _matrix(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        """The matrix, reopened each time, so that pages already written do not stay in the process's memory."""
        if self.path.is_file():
            return np.lib.format.open_memmap(self.path, mode="r+")
        shape = (self.lesions, one_length(self.lengths))
        return np.lib.format.open_memmap(self.path, mode="w+", dtype=dtype, shape=shape)
