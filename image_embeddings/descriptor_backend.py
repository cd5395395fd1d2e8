"""Descriptors as a backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.frames import ID, join_by_id
from cohort.stores.protocol import ImageStore
from engine.files import write_parquet
from image_embeddings.backend import CHUNK, Resources, Scores, mean_of
from image_embeddings.changed_store import ChangedStore
from image_embeddings.clahe import equalise
from image_embeddings.descriptors.model import DescriptorModel
from image_embeddings.descriptors.table import Described, describe, describe_in_chunks
from image_embeddings.labels import Labels

TABLE = "descriptors.parquet"


class DescriptorBackend:
    """Hand-made numbers of each crop and a model over them; no weights, no GPU.

    Attributes:
        resources: What it works with.
        seed: Of the models.
        store: Where the crops are read from; with `clahe` their contrast is equalised first.
    """

    def __init__(self, resources: Resources, *, seed: int = 0, clahe: bool = False) -> None:
        self.resources, self.seed = resources, seed
        self.store: ImageStore = ChangedStore(resources.store, equalise) if clahe else resources.store
        # Only this object's own: a table left in the folder may be of other crops with the same ids.
        self._known: Described | None = None

    def files(self, part: str) -> list[Path]:
        """One array file a part."""
        return [self.resources.folder / f"{part}.npz"]

    def fit(self, parts: Mapping[str, NDArray[np.int64]], frame: pl.DataFrame, labels: Labels) -> dict[str, str]:
        """Fit each part on the described crops of its rows; see `DescriptorModel.fit`."""
        resources = self.resources
        known = describe(self.store, frame[ID].to_list(), on_bad=resources.on_bad, executor=resources.executor)
        write_parquet(known.frame, resources.folder / TABLE)
        self._known = known
        for part, rows in parts.items():
            model = DescriptorModel.fit(
                known.frame[rows.tolist()], labels.target[rows], seed=self.seed, threads=resources.executor.cores
            )
            model.save(self.files(part)[0])
        return known.faults

    def history(self, parts: Sequence[str]) -> dict[str, list[dict[str, float]]]:
        """Nothing for each part: there are no epochs."""
        return {part: [] for part in parts}

    def prepare(self, ids: Sequence[str]) -> None:
        """Describe the crops, once for all parts."""
        if self._known is None:
            resources = self.resources
            self._known = describe(
                self.store, ids, on_bad=resources.on_bad, required=False, executor=resources.executor
            )

    def score(self, parts: Sequence[str], ids: Sequence[str]) -> Iterator[Scores]:
        """Mean log-odds of the parts; there are no embeddings."""
        models = [DescriptorModel.load(path) for part in parts for path in self.files(part)]
        for described in self._described(ids):
            frame = described.frame
            readable = frame.width > 1
            columns = [model.log_odds(frame) if readable else np.full(len(frame), np.nan) for model in models]
            yield Scores(mean_of(columns), None, {}, described.faults)

    def _described(self, ids: Sequence[str]) -> Iterator[Described]:
        """Descriptors of `ids`, in order, a chunk at a time; those computed before serve again."""
        if self._known is None:
            resources = self.resources
            yield from describe_in_chunks(
                self.store, ids, crops=CHUNK, on_bad=resources.on_bad, executor=resources.executor
            )
            return
        for start in range(0, len(ids), CHUNK):
            wanted = pl.DataFrame({ID: pl.Series(ids[start : start + CHUNK], dtype=pl.String)})
            faults = self._known.faults
            yield Described(
                join_by_id(wanted, self._known.frame), {each: faults[each] for each in wanted[ID] if each in faults}
            )
