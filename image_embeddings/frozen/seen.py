"""What heads see of crops, and where that of training crops is kept by content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.files import fingerprint
from engine.results import Arrays, ResultStore
from image_embeddings.frozen.features import Features

CACHE = "features.kept"
"""Folder beside the model folders; it may be deleted at any time. The dot keeps it apart from models of a run."""


@dataclass(frozen=True)
class Seen:
    """What heads see of crops.

    Attributes:
        features: Of the backbone.
        descriptors: (crops, numbers) float32; of width 0 where heads do not see them, or no crop can be read.
    """

    features: Features
    descriptors: NDArray[np.float32]

    @property
    def columns(self) -> NDArray[np.float32]:
        """(crops, width) the features, then the descriptors; NaN where a crop cannot be read."""
        return np.hstack([self.features.values.astype(np.float32), self.descriptors])

    def chunks(self, rows: Sequence[int], ids: Sequence[str], size: int) -> Iterator[Seen]:
        """Some of the crops, `size` at a time: their rows, and their ids."""
        for start in range(0, len(rows), size):
            own, faults = list(rows[start : start + size]), self.features.faults
            unreadable = {each: faults[each] for each in ids[start : start + size] if each in faults}
            yield Seen(Features(self.features.values[own], unreadable), self.descriptors[own])


@dataclass(frozen=True)
class CropCache:
    """Numbers of some crops, under a name made of the crops' bytes and of what computes the numbers.

    Attributes:
        folder: Where they lie.
        crops: SHA-256 of the crops and their ids.
    """

    folder: Path
    crops: str

    def features(self, maker: Sequence[object], look: Callable[[], Iterable[Features]], *, stop: bool) -> Features:
        """Features known from before, or looked for now and kept; with `stop` not those with unreadable crops."""
        store, name = self._place(maker)
        found = store.get(name)
        if found is not None and not (stop and len(found["unreadable"])):
            return Features(
                found["values"], dict(zip(found["unreadable"].tolist(), found["reasons"].tolist(), strict=True))
            )
        made = joined(look())
        reasons = {"unreadable": np.array(list(made.faults), str), "reasons": np.array(list(made.faults.values()), str)}
        store.put(name, {"values": made.values, **reasons})
        return made

    def descriptors(self, maker: Sequence[object], describe: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
        """Descriptors known from before, or computed now and kept."""
        store, name = self._place(maker)
        found: Arrays | None = store.get(name)
        if found is None:
            found = {"values": describe()}
            store.put(name, found)
        return found["values"]

    def _place(self, maker: Sequence[object]) -> tuple[ResultStore, str]:
        return ResultStore(self.folder), fingerprint([self.crops, *maker])


def joined(chunks: Iterable[Features]) -> Features:
    """Chunks one after the other."""
    found = list(chunks)
    faults = {isic_id: reason for chunk in found for isic_id, reason in chunk.faults.items()}
    return Features(np.concatenate([chunk.values for chunk in found]), faults)
