"""Columns in model order, categories by stored levels."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cohort.columns import NEVER_FEATURES
from engine.errors import InputError
from ensemble.matrix import FeatureSpace

TRAIN = pl.DataFrame({"isic_id": ["a", "b", "c"], "size": [1.0, None, 3.0], "site": ["leg", "arm", None]})


def test_levels_are_sorted_and_codes_are_their_positions() -> None:
    space = FeatureSpace.fit(TRAIN)
    assert space.names == ("size", "site")
    assert space.levels == {"site": ("arm", "leg")}
    assert space.categorical == (1,)
    np.testing.assert_array_equal(space.encode(TRAIN).values, [[1, 1], [np.nan, 0], [3, np.nan]])


def test_new_tables_may_lack_columns_have_others_and_unseen_levels() -> None:
    new = pl.DataFrame({"isic_id": ["d", "e"], "other": [1.0, 2.0], "site": ["head", "leg"]})
    np.testing.assert_array_equal(FeatureSpace.fit(TRAIN).encode(new).values, [[np.nan, np.nan], [np.nan, 1]])


def test_a_category_without_any_level_is_missing_everywhere() -> None:
    frame = pl.DataFrame({"isic_id": ["a"], "site": [None]}, schema={"isic_id": pl.String, "site": pl.String})
    assert np.isnan(FeatureSpace.fit(frame).encode(frame).values).all()


def test_the_json_form_reads_back_the_same() -> None:
    space = FeatureSpace.fit(TRAIN)
    assert FeatureSpace.from_dict(space.as_dict()) == space


def test_infinity_is_refused_with_its_place() -> None:
    frame = TRAIN.with_columns(size=pl.Series([1.0, float("-inf"), 2.0]))
    with pytest.raises(InputError, match=r"feature size, row 2: a value is infinite"):
        FeatureSpace.fit(TRAIN).encode(frame)


@pytest.mark.parametrize("name", sorted(NEVER_FEATURES - {"isic_id"}))
def test_labels_and_identifiers_can_not_become_features(name: str) -> None:
    with pytest.raises(InputError, match=name):
        FeatureSpace.fit(TRAIN.with_columns(pl.lit(1.0).alias(name)))


def test_rows_keep_their_values_across_copy_blocks() -> None:
    n = 40_000  # more than two blocks of 16,384
    frame = pl.DataFrame({"isic_id": [str(i) for i in range(n)], "a": np.arange(n) * 1.0, "b": -np.arange(n) * 1.0})
    matrix = FeatureSpace.fit(frame).encode(frame)
    assert np.array_equal(matrix.values, np.column_stack([np.arange(n), -np.arange(n)]).astype(np.float32))
    assert np.array_equal(matrix.columns, matrix.values.T)
    backwards = np.arange(n)[::-1]
    part = matrix.part(backwards, ["b"])
    assert part.space.names == ("b",)
    assert np.array_equal(part.values[:, 0], -backwards.astype(np.float32))
