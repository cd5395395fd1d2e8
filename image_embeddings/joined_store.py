"""The crops of a table and of extra ones, read as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from cohort.stores.protocol import Crop, CropError, CropReader

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

    own: CropReader
    extra: Mapping[str, CropReader]

    @property
    def path(self) -> Path:
        """Where the store's own crops lie."""
        return self.own.path

    def read(self, isic_id: str) -> Crop:
        """Decode one crop, wherever it lies; see `CropReader.read`."""
        table, between, own = isic_id.partition(_BETWEEN)
        if not between or table not in self.extra:
            return self.own.read(isic_id)
        try:
            return replace(self.extra[table].read(own), isic_id=isic_id)
        except CropError as error:
            raise CropError(isic_id, error.reason, where=error.where or "", remedy=error.remedy) from error
