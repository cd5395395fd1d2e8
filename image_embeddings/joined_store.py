"""The crops of a table and of extra ones, read as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from cohort.stores.protocol import Crop, CropError, CropReader

_BETWEEN = ":"
"""Separates the name of an extra table from an id; no id contains it."""

IS_EXTRA = "is_extra"
"""Column that marks lesions of extra tables in a frame to train on; absent if there are none."""


def scored(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of a training frame that are not from an extra table."""
    return frame.filter(~pl.col(IS_EXTRA)) if IS_EXTRA in frame.columns else frame


def extra_id(table: str, isic_id: str) -> str:
    """The id given to a lesion of an extra table, so that no other lesion has it."""
    return f"{table}{_BETWEEN}{isic_id}"


def own_ids(renamed: pl.Series) -> pl.Series:
    """The ids that `extra_id` was made from."""
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
        """Where the store's own crops are."""
        return self.own.path

    def read(self, isic_id: str) -> Crop:
        """Decode one crop, wherever it is; see `CropReader.read`."""
        table, between, own = isic_id.partition(_BETWEEN)
        if not between or table not in self.extra:
            return self.own.read(isic_id)
        try:
            return replace(self.extra[table].read(own), isic_id=isic_id)
        except CropError as error:
            raise CropError(isic_id, error.reason, where=error.where or "", remedy=error.remedy) from error
