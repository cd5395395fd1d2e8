"""The image models of a run, and the names of their score columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cohort.frames import ID
from engine.files import read_json, write_json

SCORE = "score"
"""Column of the only image model of a run, or of the blend of several."""


@dataclass(frozen=True)
class ImageModel:
    """One of a run's image models.

    Attributes:
        name: Its name in the configuration, and the name of its folder.
        column: Column of its scores in a table of image scores: "score" for the only one, otherwise its name.
        views: Views averaged per crop, if the model was made elsewhere with another number; None for its own number.
    """

    name: str
    column: str
    views: int | None = None

    def named(self, table: pl.DataFrame) -> pl.DataFrame:
        """A model's own table (isic_id, score, embeddings), with the column names it has next to other models."""
        return table.rename({name: self._renamed(name) for name in table.columns})

    def _renamed(self, name: str) -> str:
        if self.column == SCORE or name == ID:
            return name
        return self.column if name == SCORE else name.replace("embedding", f"embedding_of_{self.name}", 1)


def write_image_models(models: Sequence[ImageModel], path: Path) -> None:
    """Write models.json."""
    write_json({"models": [asdict(model) for model in models]}, path)


def read_image_models(path: Path) -> list[ImageModel]:
    """Read models.json back.

    Raises:
        InputError: It is missing or damaged.
    """
    listed: list[dict[str, Any]] = read_json(path)["models"]
    return [ImageModel(**entry) for entry in listed]


def side_by_side(tables: Sequence[pl.DataFrame], models: Sequence[ImageModel]) -> pl.DataFrame:
    """Join tables of the same lesions in the same order; a crop that one model cannot read gets no score at all.

    So a lesion either has the scores of every model, or is scored like one without a crop.

    Raises:
        ValueError: The tables differ in their lesions or the order of these.
    """
    if not all(table[ID].equals(tables[0][ID]) for table in tables):
        message = "image scores of other lesions"
        raise ValueError(message)
    named = [model.named(table) for model, table in zip(models, tables, strict=True)]
    joined = pl.concat([named[0], *(table.drop(ID) for table in named[1:])], how="horizontal")
    readable = pl.all_horizontal(pl.col(model.column).is_not_null() for model in models)
    return joined.with_columns(pl.when(readable).then(pl.col(joined.columns[1:])))
