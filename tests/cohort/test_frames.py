"""Tables joined by their ids."""

from __future__ import annotations

import polars as pl
import pytest

from cohort.frames import join_by_id

LEFT = pl.DataFrame({"isic_id": ["a", "b", "c"], "x": [1, 2, 3]})
RIGHT = pl.DataFrame({"isic_id": ["a", "b", "c"], "y": [4, 5, 6]})


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]], ids=["same", "other"])
def test_rows_are_matched_by_id_in_whatever_order_they_stand(order: list[int]) -> None:
    assert join_by_id(LEFT, RIGHT[order]).equals(LEFT.with_columns(y=pl.Series([4, 5, 6])))


def test_a_column_of_both_tables_stands_there_twice() -> None:
    for right in (LEFT, LEFT[[1, 0, 2]]):
        assert join_by_id(LEFT, right).equals(LEFT.with_columns(x_right="x"))


def test_a_repeated_id_is_refused_even_where_both_tables_have_it() -> None:
    twice = pl.concat([LEFT, LEFT[:1]])
    with pytest.raises(pl.exceptions.ComputeError):
        join_by_id(twice, twice.rename({"x": "y"}))
