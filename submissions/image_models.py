"""The image models of a run: which there are, and under which names their scores go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cohort.frames import ID
from engine.files import read_json, write_json

SCORE = "score"
"""Column of the only image model of a run, and of several blended."""


@dataclass(frozen=True)
class ImageModel:
    """One of a run's image models.

    Attributes:
        name: Its name in the configuration, and of its folder.
        column: Its scores' column in a table of image scores: "score" for the only one, otherwise its name.
        views: Of a crop that are averaged, where the model was made elsewhere with another number; None for its own.
    """

    name: str
    column: str
    views: int | None = None

    def named(self, table: pl.DataFrame) -> pl.DataFrame:
        """A model's own table (isic_id, score, embeddings) under the names that it has next to others."""
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
        InputError: It is not there or damaged.
    """
    listed: list[dict[str, Any]] = read_json(path)["models"]
    return [ImageModel(**entry) for entry in listed]


def side_by_side(tables: Sequence[pl.DataFrame], models: Sequence[ImageModel]) -> pl.DataFrame:
    """Tables of the same lesions in the same order as one; a crop that one model cannot read has no score at all.

    So a lesion has the scores of every model, or is scored as one without a crop.

    Raises:
        ValueError: The tables are of other lesions, or in another order.
    """
    if not all(table[ID].equals(tables[0][ID]) for table in tables):
        message = "image scores of other lesions"
        raise ValueError(message)
    named = [model.named(table) for model, table in zip(models, tables, strict=True)]
    joined = pl.concat([named[0], *(table.drop(ID) for table in named[1:])], how="horizontal")
    readable = pl.all_horizontal(pl.col(model.column).is_not_null() for model in models)
    return joined.with_columns(pl.when(readable).then(pl.col(joined.columns[1:])))
