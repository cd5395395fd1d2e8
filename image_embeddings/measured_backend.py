"""Backends whose models see numbers of each crop, which are computed once for all parts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import polars as pl

from cohort.frames import ID, join_by_id
from image_embeddings.backend import CHUNK, Resources
from image_embeddings.descriptors.table import Described


class MeasuredBackend(ABC):
    """What descriptors and heads on frozen features have in common.

    Attributes:
        resources: Resources of the backend.
    """

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        # Only this object's own: a table left in the folder may be of other crops with the same ids.
        self._known: Described | None = None

    @abstractmethod
    def _measured(self, ids: Sequence[str]) -> Iterator[Described]:
        """Numbers of crops, computed `CHUNK` crops at a time."""

    def history(self, parts: Sequence[str]) -> dict[str, list[dict[str, float]]]:
        """No entries for each part: there are no epochs."""
        return {part: [] for part in parts}

    def prepare(self, ids: Sequence[str]) -> None:
        """Measure the crops, once for all parts."""
        if self._known is None:
            found = list(self._measured(ids))
            faults = {isic_id: reason for chunk in found for isic_id, reason in chunk.faults.items()}
            # A chunk in which no crop can be read may have fewer columns.
            self._known = Described(pl.concat([chunk.frame for chunk in found], how="diagonal"), faults)

    def _chunks(self, ids: Sequence[str]) -> Iterator[Described]:
        """Numbers of `ids`, in order, `CHUNK` crops at a time; those computed before are reused."""
        if self._known is None:
            yield from self._measured(ids)
            return
        for start in range(0, len(ids), CHUNK):
            wanted = pl.DataFrame({ID: pl.Series(ids[start : start + CHUNK], dtype=pl.String)})
            faults = self._known.faults
            yield Described(
                join_by_id(wanted, self._known.frame), {each: faults[each] for each in wanted[ID] if each in faults}
            )
