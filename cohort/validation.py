"""What is wrong with the rows of a table: each broken rule as one problem, with a message for a user."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from cohort.cells import ROW, shown
from cohort.column import Column
from cohort.dataset import Dataset
from cohort.findings import Check, Finding
from cohort.rules import SIZES, rules_of
from cohort.tables import SourceTable
from engine.errors import InputError

ODD_ID = Check("UD104", "image ids that are missing or hold odd characters", "error")
REPEATED_ID = Check("UD105", "image ids that appear more than once", "error")
NO_PATIENT = Check("UD106", "lesions without a patient", "error")
BAD_TARGET = Check("UD107", "targets other than 0 and 1", "error")
INFINITE = Check("UD108", "infinite values", "error")
NEGATIVE_SIZE = Check("UD109", "sizes below zero", "error")
DISAGREEMENT = Check("UD110", "targets that disagree with the diagnosis", "error")
ROW_CHECKS = (ODD_ID, REPEATED_ID, NO_PATIENT, BAD_TARGET, INFINITE, NEGATIVE_SIZE, DISAGREEMENT)


_LABELS_IN_WORDS = ("iddx_1", "benign_malignant")


@dataclass(frozen=True)
class TableProblem:
    """One broken rule: the check it belongs to, the message for a user, and how many rows break it."""

    check: Check
    error: InputError
    rows: int

    def as_finding(self, *, where: str) -> Finding:
        """The problem as a finding about the table `where`."""
        return self.check.found(str(self.error), where=where, rows=self.rows)


@dataclass(frozen=True)
class _Broken:
    """A broken rule before it is put into words: `rows` are the rows that break it, in the file's order."""

    dataset: Dataset
    table: SourceTable
    column: str
    rows: pl.DataFrame

    def problem(self, check: Check, what: str, remedy: str) -> TableProblem:
        place = self.table.place(self.rows[ROW][0], self.dataset.source(self.column))
        others = len(self.rows) - 1
        also = f" ({others} more row{'s' if others > 1 else ''} like it)" if others else ""
        return TableProblem(check, InputError(what + also, where=place, remedy=remedy), len(self.rows))

    @property
    def value(self) -> str:
        return shown(self.rows[self.column][0])


def find_problems(
    frame: pl.DataFrame, columns: tuple[Column, ...], dataset: Dataset, table: SourceTable
) -> list[TableProblem]:
    """Every rule that `frame` breaks, the most basic one first.

    Args:
        frame: `ROW` and the canonical `columns`, in the file's order, the target as Float64.
        columns: The specifications of the frame's columns.
        dataset: Whose table it is.
        table: The file, for places in messages.
    """
    rules = rules_of(columns)
    counts = frame.select(rule.broken.sum().alias(str(place)) for place, rule in enumerate(rules)).row(0)
    problems = [
        _in_words(_Broken(dataset, table, rule.column, frame.filter(rule.broken)), rule.kind)
        for rule, count in zip(rules, counts, strict=True)
        if count
    ]
    return sorted(problems, key=lambda problem: problem.check.code)


def not_applicable(check: Check, names: Sequence[str]) -> str:
    """Why a check of rows does not apply to a table with these canonical columns; empty where it does."""
    if check in {BAD_TARGET, DISAGREEMENT} and "target" not in names:
        return "the table has no labels"
    if check == DISAGREEMENT and not set(_LABELS_IN_WORDS).intersection(names):
        return "the table has no diagnosis to compare with"
    if check == NEGATIVE_SIZE and not SIZES.intersection(names):
        return "the table has no sizes"
    return ""


def _in_words(broken: _Broken, kind: str) -> TableProblem:
    if kind == "missing":
        return {"isic_id": _missing_id, "target": _missing_target}.get(broken.column, _missing_patient)(broken)
    if kind == "odd":
        return (_odd_id if broken.column == "isic_id" else _odd_patient)(broken)
    words: dict[str, Callable[[_Broken], TableProblem]] = {
        "repeated": _repeated_id,
        "other": _bad_target,
        "infinite": _infinite,
        "negative": _negative_size,
        "disagrees": _disagreement,
    }
    return words[kind](broken)


def _missing_id(broken: _Broken) -> TableProblem:
    return broken.problem(ODD_ID, "the image id is missing", "give every row the id of its image")


def _odd_id(broken: _Broken) -> TableProblem:
    return broken.problem(
        ODD_ID,
        f"the image id {broken.value} holds odd characters",
        "use letters, digits, _ and - only, without a file suffix",
    )


def _repeated_id(broken: _Broken) -> TableProblem:
    first = broken.rows["isic_id"][0]
    same = [row + 1 for row in broken.rows.filter(pl.col("isic_id") == first)[ROW]]
    distinct = broken.rows["isic_id"].n_unique()
    also = f", and {distinct - 1} other ids are repeated" if distinct > 1 else ""
    rows = " and ".join(str(row) for row in same[:2]) + (" and more" if len(same) > 2 else "")
    error = InputError(
        f"the image id {shown(first)} appears {len(same)} times (rows {rows}){also}",
        where=broken.table.place(same[0] - 1, broken.dataset.key),
        remedy="keep one row of each image",
    )
    return TableProblem(REPEATED_ID, error, len(broken.rows))


def _missing_patient(broken: _Broken) -> TableProblem:
    return broken.problem(
        NO_PATIENT,
        f"{len(broken.rows)} lesions have no patient, the first is {broken.rows['isic_id'][0]}",
        "give every lesion its patient; lesions of unknown patients cannot be kept apart in folds, so leave them out",
    )


def _odd_patient(broken: _Broken) -> TableProblem:
    return broken.problem(
        NO_PATIENT,
        f"the patient id {broken.value} is blank, has spaces around it or holds control characters",
        "write the id without them",
    )


def _missing_target(broken: _Broken) -> TableProblem:
    return broken.problem(
        BAD_TARGET, "the target is missing", "write 0 or 1 in every row, or leave the whole column out of a test table"
    )


def _bad_target(broken: _Broken) -> TableProblem:
    return broken.problem(BAD_TARGET, f"the target is {broken.value}", "write 1 for malignant and 0 for benign")


def _infinite(broken: _Broken) -> TableProblem:
    return broken.problem(INFINITE, f"the value is infinite ({broken.rows[broken.column][0]})", "leave the cell empty")


def _negative_size(broken: _Broken) -> TableProblem:
    return broken.problem(
        NEGATIVE_SIZE,
        f"the size {broken.value} is below zero",
        "write missing values as an empty cell or NA, not as a number",
    )


def _disagreement(broken: _Broken) -> TableProblem:
    other = next(name for name in _LABELS_IN_WORDS if name in broken.rows.columns)
    return broken.problem(
        DISAGREEMENT,
        f"the target is {broken.rows['target'][0]:g} but {other} is {shown(broken.rows[other][0])}",
        "fix the label that is wrong",
    )
