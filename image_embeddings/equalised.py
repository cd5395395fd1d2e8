"""A store whose crops have their local contrast equalised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cohort.stores.protocol import Crop, ImageStore
from image_embeddings.clahe import clahe


@dataclass(frozen=True)
class EqualisedStore:
    """The crops of another store after `clahe`.

    Attributes:
        inner: The store.
    """

    inner: ImageStore

    @property
    def path(self) -> Path:
        """Where the crops lie."""
        return self.inner.path

    @property
    def ids(self) -> Sequence[str]:
        """As in the other store."""
        return self.inner.ids

    def read(self, isic_id: str) -> Crop:
        """Decode one crop and equalise it; see `ImageStore.read`."""
        crop = self.inner.read(isic_id)
        return replace(crop, pixels=clahe(crop.pixels))

    def close(self) -> None:
        """Release what the other store has open."""
        self.inner.close()
