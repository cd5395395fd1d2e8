"""The rules every canonical frame keeps, made from the column specifications, and messages for broken ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cohort.cells import CONTROL
from cohort.column import Column
from cohort.findings import Check

ODD_ID = Check("UD104", "image ids that are missing or hold odd characters", "error")
REPEATED_ID = Check("UD105", "image ids that appear more than once", "error")
NO_PATIENT = Check("UD106", "lesions without a patient", "error")
BAD_TARGET = Check("UD107", "targets other than 0 and 1", "error")
INFINITE = Check("UD108", "infinite values", "error")
NEGATIVE_SIZE = Check("UD109", "sizes below zero", "error")
DISAGREEMENT = Check("UD110", "targets that disagree with the diagnosis", "error")
ROW_CHECKS = (ODD_ID, REPEATED_ID, NO_PATIENT, BAD_TARGET, INFINITE, NEGATIVE_SIZE, DISAGREEMENT)

SIZES = frozenset({"clin_size_long_diam_mm", "tbp_lv_areaMM2", "tbp_lv_perimeterMM", "tbp_lv_minorAxisMM"})
"""Numbers that formulas take roots and logarithms of: below 0 they are refused, anything else is only reported."""
DIAGNOSES = {"iddx_1": ("Malignant", "Benign", "Indeterminate"), "benign_malignant": ("malignant", "benign")}
"""Columns that say in words what the target says, the malignant word first."""


@dataclass(frozen=True)
class Rule:
    """One rule of a column.

    Attributes:
        check: The question that a broken rule answers.
        column: Its name.
        broken: True for the rows that break it; null counts as kept.
        what: What is wrong, filled in from the first such row: its columns by name, and `value`, quoted.
        remedy: What to do.
    """

    check: Check
    column: str
    broken: pl.Expr
    what: str
    remedy: str


def rules_of(columns: Sequence[Column]) -> list[Rule]:
    """The rules of a frame with these columns, unsorted and with the target still a float.

    Ids are unique, non-null and plain; patients non-null and without surrounding spaces; targets are 0 or 1; numbers
    are finite and sizes not negative; the target agrees with the diagnosis where the table has both.
    """
    own = [rule for column in columns for rule in _rules_of(column)]
    return [*own, *_agreement({column.name for column in columns})]


def _rules_of(column: Column) -> list[Rule]:
    name, values = column.name, pl.col(column.name)
    infinite = Rule(INFINITE, name, values.is_infinite(), f"the value is infinite ({{{name}}})", "leave the cell empty")
    if column.role == "key":
        return _rules_of_ids(name, values)
    if column.role == "patient":
        return _rules_of_patients(name, values)
    if column.role == "label":
        return [*_rules_of_targets(name, values), infinite]
    if name in SIZES:
        remedy = "write missing values as an empty cell or NA, not as a number"
        return [Rule(NEGATIVE_SIZE, name, values < 0, "the size {value} is below zero", remedy), infinite]
    return [infinite] if column.dtype.is_float() else []


def _rules_of_ids(name: str, values: pl.Expr) -> list[Rule]:
    odd, repeated = ~values.str.contains(r"^[A-Za-z0-9_-]+$"), values.is_duplicated() & values.is_not_null()
    plain = "use letters, digits, _ and - only, without a file suffix"
    return [
        Rule(ODD_ID, name, values.is_null(), "the image id is missing", "give every row the id of its image"),
        Rule(REPEATED_ID, name, repeated, "the image id {value} is not the only one", "keep one row of each image"),
        Rule(ODD_ID, name, odd, "the image id {value} holds odd characters", plain),
    ]


def _rules_of_patients(name: str, values: pl.Expr) -> list[Rule]:
    odd = ~values.str.contains(rf"^[^\s{CONTROL}]([^{CONTROL}]*[^\s{CONTROL}])?$")
    there = "give every lesion its patient; those of unknown patients cannot be kept apart in folds, so leave them out"
    blank = "the patient id {value} is blank, has spaces around it or holds control characters"
    return [
        Rule(NO_PATIENT, name, values.is_null(), "lesion {isic_id} has no patient", there),
        Rule(NO_PATIENT, name, odd, blank, "write the id without them"),
    ]


def _rules_of_targets(name: str, values: pl.Expr) -> list[Rule]:
    stated = "write 0 or 1 in every row, or leave the whole column out of a test table"
    other = ~values.is_in([0.0, 1.0])
    return [
        Rule(BAD_TARGET, name, values.is_null(), "the target is missing", stated),
        Rule(BAD_TARGET, name, other, "the target is {value}", "write 1 for malignant and 0 for benign"),
    ]


def _agreement(names: set[str]) -> list[Rule]:
    """Target and diagnosis agree, if the diagnosis is known."""
    other = next((name for name in DIAGNOSES if name in names), None)
    if other is None or "target" not in names:
        return []
    said, known = pl.col(other), DIAGNOSES[other]
    broken = said.is_in(known) & ((pl.col("target") == 1) != (said == known[0]))
    what = f"the target is {{target:g}} but {other} is {{{other}!r}}"
    return [Rule(DISAGREEMENT, "target", broken, what, "fix the label that is wrong")]
