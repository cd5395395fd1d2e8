"""The rules every canonical frame keeps, as dataframely schemas made from the column specifications."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import dataframely as dy
import polars as pl

from cohort.cells import ROW
from cohort.columns import Column

SIZES = frozenset({"clin_size_long_diam_mm", "tbp_lv_areaMM2", "tbp_lv_perimeterMM", "tbp_lv_minorAxisMM"})
"""Numbers that formulas take roots and logarithms of: below 0 they are refused, anything else is only reported."""
LABELS_AGREE = "labels_agree"
"""Name of the rule that a table's target and its diagnosis say the same."""


@cache
def schema_of(columns: tuple[Column, ...]) -> type[dy.Schema]:
    """The schema of a frame with the column `ROW` and these columns; before sorting, the target still a float.

    Ids are unique, non-null and plain; patients are non-null and without spaces around; targets are 0 or 1; numbers
    are finite and sizes not negative; the target agrees with the diagnosis where the table has both.
    """
    members: dict[str, Any] = {ROW: dy.UInt32(), **{column.name: _member(column) for column in columns}}
    agreement = _agreement([column.name for column in columns])
    if agreement is not None:
        members[LABELS_AGREE] = dy.rule()(lambda _: agreement)
    return cast("type[dy.Schema]", type("LesionTable", (dy.Schema,), members))


def _member(column: Column) -> dy.Column:
    if column.role == "key":
        return dy.String(unique=True, regex=r"^[A-Za-z0-9_-]+$")
    if column.role == "patient":
        return dy.String(regex=r"^\S(.*\S)?$")
    if column.role == "label":
        return dy.Float64(check={"binary": lambda values: values.is_in([0.0, 1.0])})
    if column.dtype.is_float():
        return dy.Float64(nullable=True, min=0 if column.name in SIZES else None)
    return dy.String(nullable=True)


def _agreement(names: Sequence[str]) -> pl.Expr | None:
    """True where target and diagnosis agree; null, so not counted, where the diagnosis is of no known kind."""
    malignant = pl.col("target") == 1
    if "target" in names and "iddx_1" in names:
        known = pl.when(pl.col("iddx_1").is_in(["Benign", "Indeterminate", "Malignant"]))
        return known.then(malignant == (pl.col("iddx_1") == "Malignant"))
    if "target" in names and "benign_malignant" in names:
        known = pl.when(pl.col("benign_malignant").is_in(["benign", "malignant"]))
        return known.then(malignant == (pl.col("benign_malignant") == "malignant"))
    return None
