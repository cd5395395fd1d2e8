"""Descriptors as a backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.frames import ID
from cohort.stores.protocol import CropReader
from engine.files import write_parquet
from image_embeddings.arrays import load_model, save_model
from image_embeddings.backend import CHUNK, Resources, Scores, mean_of
from image_embeddings.changed_store import ChangedStore
from image_embeddings.clahe import equalise
from image_embeddings.descriptors.model import DescriptorModel
from image_embeddings.descriptors.table import Described, describe, describe_in_chunks
from image_embeddings.labels import Labels
from image_embeddings.measured_backend import MeasuredBackend

TABLE = "descriptors.parquet"


class DescriptorBackend(MeasuredBackend):
    """Hand-made numbers of each crop and a model over them; no weights, no GPU.

    Attributes:
        seed: Seed of the models.
        store: Where the crops are read from; with `clahe` their contrast is equalised first.
    """

    def __init__(self, resources: Resources, *, seed: int = 0, clahe: bool = False) -> None:
        super().__init__(resources)
        self.seed = seed
        self.store: CropReader = ChangedStore(resources.store, equalise) if clahe else resources.store

    def files(self, part: str) -> list[Path]:
        """One array file per part."""
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
            save_model(model, self.files(part)[0])
        return known.faults

    def score(self, parts: Sequence[str], ids: Sequence[str]) -> Iterator[Scores]:
        """Mean log-odds of the parts; there are no embeddings."""
        models = [load_model(self.files(part)[0], DescriptorModel, "a descriptor model") for part in parts]
        for described in self._chunks(ids):
            frame = described.frame
            readable = frame.width > 1
            columns = [model.log_odds(frame) if readable else np.full(len(frame), np.nan) for model in models]
            yield Scores(mean_of(columns), None, {}, described.faults)

    def _measured(self, ids: Sequence[str]) -> Iterator[Described]:
        resources = self.resources
        return describe_in_chunks(self.store, ids, crops=CHUNK, on_bad=resources.on_bad, executor=resources.executor)
