"""The rules every canonical frame keeps, made from the column specifications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cohort.cells import CONTROL
from cohort.column import Column

SIZES = frozenset({"clin_size_long_diam_mm", "tbp_lv_areaMM2", "tbp_lv_perimeterMM", "tbp_lv_minorAxisMM"})
"""Numbers that formulas take roots and logarithms of: below 0 they are refused, anything else is only reported."""


@dataclass(frozen=True)
class Rule:
    """One rule of a column.

    Attributes:
        column: Its name.
        kind: "missing", "repeated", "odd", "other", "infinite", "negative" or "disagrees".
        broken: True for the rows that break it; null counts as kept.
    """

    column: str
    kind: str
    broken: pl.Expr


def rules_of(columns: Sequence[Column]) -> list[Rule]:
    """The rules of a frame with these columns; before sorting, the target still a float.

    Ids are unique, non-null and plain; patients are non-null and without spaces around; targets are 0 or 1; numbers
    are finite and sizes not negative; the target agrees with the diagnosis where the table has both.
    """
    agreement = _agreement([column.name for column in columns])
    own = [rule for column in columns for rule in _rules_of(column)]
    return own if agreement is None else [*own, Rule("target", "disagrees", ~agreement)]


def _rules_of(column: Column) -> list[Rule]:
    name, values = column.name, pl.col(column.name)
    missing, infinite = Rule(name, "missing", values.is_null()), Rule(name, "infinite", values.is_infinite())
    if column.role == "key":
        repeated = Rule(name, "repeated", values.is_duplicated() & values.is_not_null())
        return [missing, repeated, Rule(name, "odd", ~values.str.contains(r"^[A-Za-z0-9_-]+$"))]
    if column.role == "patient":
        return [missing, Rule(name, "odd", ~values.str.contains(rf"^[^\s{CONTROL}]([^{CONTROL}]*[^\s{CONTROL}])?$"))]
    if column.role == "label":
        return [missing, Rule(name, "other", ~values.is_in([0.0, 1.0])), infinite]
    if column.dtype.is_float():
        return [Rule(name, "negative", values < 0), infinite] if name in SIZES else [infinite]
    return []


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
