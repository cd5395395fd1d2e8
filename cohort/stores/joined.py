"""Several stores as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cohort.stores.protocol import Crop, ImageStore


@dataclass(frozen=True)
class JoinedStore:
    """The crops of one store, and next to them some of others'.

    Attributes:
        first: Where a crop is looked for that no other store is named for.
        others: The other stores.
        places: By id the place in `others` of the store that is named for it.
    """

    first: ImageStore
    others: tuple[ImageStore, ...]
    places: dict[str, int]

    @property
    def path(self) -> Path:
        """Where the crops of the first store lie."""
        return self.first.path

    @property
    def ids(self) -> Sequence[str]:
        """Of the first store and those that are named, ascending."""
        return sorted({*self.first.ids, *self.places})

    def read(self, isic_id: str) -> Crop:
        """Decode one crop; see `ImageStore.read`."""
        return self._of(isic_id).read(isic_id)

    def encoded(self, isic_id: str) -> bytes:
        """The bytes of one crop; see `ImageStore.encoded`."""
        return self._of(isic_id).encoded(isic_id)

    def close(self) -> None:
        """Release what the stores have open."""
        for store in (self.first, *self.others):
            store.close()

    def _of(self, isic_id: str) -> ImageStore:
        place = self.places.get(isic_id)
        return self.first if place is None else self.others[place]
