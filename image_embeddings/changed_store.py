"""Crops that are changed as they are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cohort.stores.protocol import Crop, CropReader


@dataclass(frozen=True)
class ChangedStore:
    """The crops of another store, each changed.

    Attributes:
        inner: The store.
        change: What is done to each crop; must be picklable, as stores are, such as a module's function.
    """

    inner: CropReader
    change: Callable[[Crop], Crop]

    @property
    def path(self) -> Path:
        """Where the crops are."""
        return self.inner.path

    def read(self, isic_id: str) -> Crop:
        """Decode one crop and change it; see `CropReader.read`."""
        return self.change(self.inner.read(isic_id))
