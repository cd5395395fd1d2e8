"""Several image stores as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cohort.stores.protocol import Crop, ImageStore


@dataclass(frozen=True)
class JoinedStore:
    """The crops of several stores as one; no id may be in two of them.

    Attributes:
        stores: The first is that of the lesions that are scored.
        owners: Which store each crop of the others is in, by id.
    """

    stores: tuple[ImageStore, ...]
    owners: dict[str, int]

    @property
    def path(self) -> Path:
        """Of the first store."""
        return self.stores[0].path

    @cached_property
    def ids(self) -> Sequence[str]:
        """Every id that has an entry, ascending."""
        return sorted({*self.stores[0].ids, *self.owners})

    def read(self, isic_id: str) -> Crop:
        """Decode one crop; see `ImageStore.read`."""
        return self._store(isic_id).read(isic_id)

    def encoded(self, isic_id: str) -> bytes:
        """The bytes of one crop; see `ImageStore.encoded`."""
        return self._store(isic_id).encoded(isic_id)

    def close(self) -> None:
        """Release what is open."""
        for store in self.stores:
            store.close()

    def _store(self, isic_id: str) -> ImageStore:
        return self.stores[self.owners.get(isic_id, 0)]
