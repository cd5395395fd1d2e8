"""Descriptors as an engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cohort.frames import ID, join_by_id
from cohort.stores.protocol import ImageStore
from engine.files import write_parquet
from image_embeddings.changed_store import ChangedStore
from image_embeddings.clahe import equalise
from image_embeddings.descriptors.model import DescriptorModel
from image_embeddings.descriptors.table import describe
from image_embeddings.engine import Scores, Setting
from image_embeddings.labels import Labels

TABLE = "descriptors.parquet"


class DescriptorEngine:
    """Hand-made numbers of each crop and a model over them; no weights, no GPU.

    Attributes:
        setting: Where and how it works.
        seed: Of the models.
        store: Where the crops are read from; with `clahe` their contrast is equalised first.
    """

    def __init__(self, setting: Setting, *, seed: int = 0, clahe: bool = False) -> None:
        self.setting, self.seed = setting, seed
        self.store: ImageStore = ChangedStore(setting.store, equalise) if clahe else setting.store
        self._known: pl.DataFrame | None = None
        self._faults: dict[str, str] = {}

    def files(self, part: str) -> list[Path]:
        """One array file a part."""
        return [self.setting.folder / f"{part}.npz"]

    def fit(self, part: str, frame: pl.DataFrame, labels: Labels, rows: NDArray[np.int64]) -> list[dict[str, float]]:
        """Fit on the described crops of `rows`; see `DescriptorModel.fit`."""
        described = self._described(frame[ID].to_list(), keep=True)
        model = DescriptorModel.fit(
            described[rows.tolist()], labels.target[rows], seed=self.seed, threads=self.setting.threads
        )
        model.save(self.files(part)[0])
        return []

    def prepare(self, ids: Sequence[str]) -> None:
        """Describe the crops, once for all parts."""
        self._known = self._described(ids, keep=False)

    def score(self, parts: Sequence[str], ids: Sequence[str]) -> Scores:
        """Mean log-odds of the parts; the descriptors themselves are the embedding."""
        described = self._described(ids, keep=False)
        models = [DescriptorModel.load(path) for part in parts for path in self.files(part)]
        readable = described.width > 1
        log_odds = np.mean(
            [model.log_odds(described) if readable else np.full(len(ids), np.nan) for model in models], 0
        )
        faults = {isic_id: self._faults[isic_id] for isic_id in ids if isic_id in self._faults}
        return Scores(log_odds, None, None, faults)

    def _described(self, ids: Sequence[str], *, keep: bool) -> pl.DataFrame:
        """Descriptors of `ids`, in order; those computed for fitting serve for scoring out of fold too.

        Only this object's own are used again: a table left in the folder may be of other crops with the same ids.
        """
        wanted = pl.DataFrame({ID: pl.Series(ids, dtype=pl.String)})
        if self._known is not None and wanted[ID].is_in(self._known[ID].implode()).all():
            return join_by_id(wanted, self._known)
        done = 0

        def tell(crops: int) -> None:
            nonlocal done
            done += crops
            self.setting.tell("describe", done, len(ids))

        result = describe(
            self.store,
            ids,
            on_bad=self.setting.on_bad,
            required=keep,
            workers=max(self.setting.workers, 1),
            progress=tell,
        )
        self._faults |= result.faults
        if keep:
            self._known = result.frame
            write_parquet(result.frame, self.setting.folder / TABLE)
        return result.frame
