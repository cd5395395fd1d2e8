"""The crops of a table and of extra ones as one store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from cohort.stores.protocol import Crop, CropError, ImageStore

_BETWEEN = ":"
"""Between the name of an extra table and an id; no id has it."""

IS_EXTRA = "is_extra"
"""Column that tells lesions of extra tables in a frame to train on; not there where there are none."""


def scored(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of a frame to train on that are not of an extra table."""
    return frame.filter(~pl.col(IS_EXTRA)) if IS_EXTRA in frame.columns else frame


def extra_id(table: str, isic_id: str) -> str:
    """What a lesion of an extra table is called, so that no other has its id."""
    return f"{table}{_BETWEEN}{isic_id}"


def own_ids(renamed: pl.Series) -> pl.Series:
    """What `extra_id` was made of."""
    return renamed.str.splitn(_BETWEEN, 2).struct.field("field_1")


@dataclass(frozen=True)
class JoinedStore:
    """The crops of a store, and those of others under `extra_id`.

    Attributes:
        own: The store.
        extra: The others, by the name of their table.
    """

    own: ImageStore
    extra: Mapping[str, ImageStore]

    @property
    def path(self) -> Path:
        """Where the store's own crops lie."""
        return self.own.path

    @property
    def ids(self) -> Sequence[str]:
        """Those of the store's own crops."""
        return self.own.ids

    @property
    def names(self) -> Sequence[str]:
        """Those of the store's own crops."""
        return self.own.names

    def has(self, isic_id: str) -> bool:
        """As in the store where a lesion's crop lies."""
        store, own = self._place(isic_id)
        return store.has(own)

    def read(self, isic_id: str) -> Crop:
        """Decode one crop; see `ImageStore.read`."""
        store, own = self._place(isic_id)
        try:
            return replace(store.read(own), isic_id=isic_id)
        except CropError as error:
            raise _renamed(error, isic_id) from error

    def encoded(self, isic_id: str) -> bytes:
        """The bytes of one crop as they are stored; see `ImageStore.encoded`."""
        store, own = self._place(isic_id)
        try:
            return store.encoded(own)
        except CropError as error:
            raise _renamed(error, isic_id) from error

    def close(self) -> None:
        """Release what any of the stores has open."""
        for store in (self.own, *self.extra.values()):
            store.close()

    def _place(self, isic_id: str) -> tuple[ImageStore, str]:
        table, between, own = isic_id.partition(_BETWEEN)
        return (self.extra[table], own) if between and table in self.extra else (self.own, isic_id)


def _renamed(error: CropError, isic_id: str) -> CropError:
    return CropError(isic_id, error.reason, where=error.where or "", remedy=error.remedy)
