import math
import re

import numpy as np
import polars as pl
import pytest
from scipy.stats import rankdata

from features.groups.single_lesion import ENGINEERED_GROUP
from features.patients.engineered import ENGINEERED, Engineered
from features.patients.formula import Formula
from features.patients.measures import COLUMN_OF, MEASURED

ALLOWED = {
    "abs": abs,
    "atan2": math.atan2,
    "cbrt": math.cbrt,
    "degrees": math.degrees,
    "exp": math.exp,
    "ln": math.log,
    "max": max,
    "min": min,
    "pi": math.pi,
    "sqrt": math.sqrt,
}


def by_python(text: str, row: dict[str, float | None]) -> float | None:
    """The formula evaluated by Python itself on one lesion; None where it has no value."""
    used = set(re.findall(r"[A-Za-z_]+\w*", text)) & set(row)
    if any(row[name] is None or not math.isfinite(float(row[name] or 0)) for name in used):
        return None
    try:
        value = eval(text, {"__builtins__": {}}, {**ALLOWED, **row})  # noqa: S307
    except (ZeroDivisionError, ValueError):
        return None
    return float(value) if math.isfinite(value) else None


@pytest.mark.parametrize("one", ENGINEERED, ids=lambda one: one.name)
def test_every_formula_agrees_with_python(one: Engineered, awkward: pl.DataFrame) -> None:
    rows = awkward.select(pl.col(column).alias(short) for short, column in COLUMN_OF.items()).to_dicts()
    expected = [by_python(one.formula.text, row) for row in rows]
    arrays = {short: awkward[column].to_numpy() for short, column in COLUMN_OF.items()}
    found = [None if math.isnan(value) else value for value in one.formula(arrays)]
    assert [value is None for value in found] == [value is None for value in expected]
    assert [value for value in found if value is not None] == pytest.approx(
        [value for value in expected if value is not None], rel=1e-12, abs=1e-12
    )


def test_a_hand_worked_value() -> None:
    # diam 4, minor 3, area 9, perim 12: 9 / 144 = 0.0625.
    shape = Formula("area / perim**2")
    assert shape.names == ("area", "perim")
    assert shape({"area": np.array([9.0]), "perim": np.array([12.0])}).tolist() == [0.0625]


def test_no_value_is_nan_and_never_infinite() -> None:
    values = {"a": np.array([1.0, 0.0, -1.0, np.nan]), "b": np.array([0.0, 0.0, 1.0, 1.0])}
    assert np.isnan(Formula("a / b")(values)).tolist() == [True, True, False, True]
    assert np.isnan(Formula("ln(a)")(values)).tolist() == [False, True, True, True]


@pytest.mark.parametrize("text", ["a if b else c", "'text'", "a.b", "[a]", "not a", "a // b", "sin(a)"])
def test_anything_but_arithmetic_is_refused(text: str) -> None:
    values = {name: np.ones(1) for name in "abc"}
    with pytest.raises(ValueError, match="cannot contain"):
        Formula(text)(values)


def test_names_are_unique_and_twins_exist() -> None:
    names = [one.name for one in ENGINEERED]
    known = {*names, *MEASURED}
    assert len(set(names)) == len(names)
    assert {one.twin for one in ENGINEERED if one.twin} <= known


@pytest.mark.parametrize("one", [one for one in ENGINEERED if one.twin], ids=lambda one: one.name)
def test_a_redundant_formula_orders_lesions_as_its_twin_does(one: Engineered, simulated: pl.DataFrame) -> None:
    arrays = {short: simulated[column].cast(pl.Float64).to_numpy() for short, column in COLUMN_OF.items()}
    twins = {other.name: other.formula for other in ENGINEERED}
    twin = twins[one.twin](arrays) if one.twin in twins else simulated[one.twin].cast(pl.Float64).to_numpy()
    values = one.formula(arrays)
    both = ~np.isnan(values) & ~np.isnan(twin) & (simulated["tbp_lv_z"].to_numpy() > 0)
    rho = np.corrcoef(rankdata(values[both].round(9)), rankdata(twin[both].round(9)))[0, 1]
    assert abs(rho) > 0.999


def test_redundant_formulas_are_a_part_of_their_own(simulated: pl.DataFrame) -> None:
    parts = {spec.name: spec.part for spec in ENGINEERED_GROUP.describe(simulated.columns)}
    assert parts["log_lesion_area"] == "redundant"
    assert parts["lesion_size_ratio"] == "formulas"
