"""Any column of a table may be empty, constant or absent: what does not need it stays the same, bit by bit."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from cohort.columns import CATEGORICAL, NUMERIC
from engine.executors import LocalExecutor
from features import fit
from features.building import FeaturePlan
from features.patients.block import blocks
from features.registry import GROUPS

Numbers = dict[str, NDArray[np.float64]]


def _numbers(frame: pl.DataFrame) -> tuple[FeaturePlan, Numbers]:
    """Every feature that is a number, with the constants of the same lesions."""
    plan = FeaturePlan.of(frame.columns, list(GROUPS), fit(frame, executor=LocalExecutor(1)))
    ((_, block),) = blocks(frame, plan.columns)
    return plan, dict(plan.compute(block))


@pytest.fixture(scope="module")
def lesions(simulated: pl.DataFrame) -> pl.DataFrame:
    return simulated.head(40)


@pytest.fixture(scope="module")
def whole(lesions: pl.DataFrame) -> Numbers:
    return _numbers(lesions)[1]


def _without(frame: pl.DataFrame, column: str, kind: str) -> pl.DataFrame:
    if kind == "absent":
        return frame.drop(column)
    dtype = frame.schema[column]
    value = None if kind == "empty" else 5.0 if dtype.is_numeric() else "the same"
    return frame.with_columns(pl.lit(value, dtype).alias(column))


@pytest.mark.parametrize("kind", ["empty", "constant", "absent"])
@pytest.mark.parametrize("column", [*NUMERIC, *CATEGORICAL])
def test_features_of_other_columns_stay_the_same(lesions: pl.DataFrame, whole: Numbers, column: str, kind: str) -> None:
    plan, found = _numbers(_without(lesions, column, kind))
    assert found.keys() == {spec.name for spec in plan.numeric}
    others = [spec.name for spec in plan.numeric if column not in spec.needs]
    assert len(others) > 200
    assert [name for name in others if not np.array_equal(found[name], whole[name], equal_nan=True)] == []
    values = np.stack(list(found.values()))
    assert values.shape == (len(found), 40)
    assert not np.isinf(values).any()


def test_every_column_at_once(lesions: pl.DataFrame) -> None:
    nothing = lesions.with_columns(pl.lit(None, lesions.schema[name]).alias(name) for name in (*NUMERIC, *CATEGORICAL))
    _, found = _numbers(nothing)
    assert len(found) > 1000
    assert not np.isinf(np.stack(list(found.values()))).any()
