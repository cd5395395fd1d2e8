"""Which lesions have a crop: those of which an image table says something."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from features.patients.image_tables import has_image
from image_embeddings.training_run import embedding_table

IDS = pl.Series("isic_id", ["a", "b", "c", "d"])
EMBEDDINGS = {"embedding": np.array([[1, 2], [np.nan, np.nan], [3, 4]], np.float16)}
WRITTEN = embedding_table(["a", "b", "c"], EMBEDDINGS)  # as a network writes them: NaN where a crop is unreadable


@pytest.mark.parametrize("missing", [None, float("nan")])
@pytest.mark.parametrize(
    "more",
    [pl.DataFrame(), pl.DataFrame({"target": [0, 1, 0], "fold": [1, 2, 3]}), WRITTEN.drop("isic_id")],
    ids=["scores alone", "labels and folds as well", "embeddings as well"],
)
def test_a_lesion_without_a_score_has_no_crop(missing: float | None, more: pl.DataFrame) -> None:
    table = pl.DataFrame({"isic_id": ["a", "b", "c"], "score": [0.5, missing, 0.0]}).hstack(more.get_columns())
    assert has_image(IDS, table).tolist() == [True, False, True, False]


def test_without_scores_embeddings_tell() -> None:
    assert has_image(IDS, WRITTEN).tolist() == [True, False, True, False]


def test_any_of_several_scores_will_do_and_no_table_knows_no_crop() -> None:
    table = pl.DataFrame({"isic_id": ["d", "a"], "old": [None, 0.1], "new": [0.2, None]})
    assert has_image(IDS, table).tolist() == [True, False, False, True]
    assert has_image(IDS, None).tolist() == [False] * 4
