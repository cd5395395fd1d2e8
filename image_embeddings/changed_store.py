"""A store whose crops are changed as they are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cohort.stores.protocol import Crop, ImageStore


@dataclass(frozen=True)
class ChangedStore:
    """The crops of another store, each changed.

    Attributes:
        inner: The store.
        change: What is done to each crop; a function of a module, say, so that it can be pickled as stores are.
    """

    inner: ImageStore
    change: Callable[[Crop], Crop]

    @property
    def path(self) -> Path:
        """Where the crops lie."""
        return self.inner.path

    @property
    def ids(self) -> Sequence[str]:
        """As in the other store."""
        return self.inner.ids

    @property
    def names(self) -> Sequence[str]:
        """As in the other store."""
        return self.inner.names

    def has(self, isic_id: str) -> bool:
        """As in the other store."""
        return self.inner.has(isic_id)

    def read(self, isic_id: str) -> Crop:
        """Decode one crop and change it; see `ImageStore.read`."""
        return self.change(self.inner.read(isic_id))

    def encoded(self, isic_id: str) -> bytes:
        """As in the other store."""
        return self.inner.encoded(isic_id)

    def close(self) -> None:
        """Release what the other store has open."""
        self.inner.close()
