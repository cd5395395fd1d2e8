"""What is wrong with the rows of a table: each broken rule as one problem, with a message for a user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cohort.cells import ROW, shown
from cohort.column import Column
from cohort.dataset import Dataset
from cohort.findings import Check, Finding
from cohort.rules import BAD_TARGET, DIAGNOSES, DISAGREEMENT, NEGATIVE_SIZE, REPEATED_ID, SIZES, rules_of
from cohort.tables import SourceTable
from engine.errors import InputError


@dataclass(frozen=True)
class TableProblem:
    """One broken rule: the check it belongs to, the message for a user, and how many rows break it."""

    check: Check
    error: InputError
    rows: int

    def as_finding(self, *, where: str) -> Finding:
        """The problem as a finding about the table `where`."""
        return self.check.found(str(self.error), where=where, rows=self.rows)


def find_problems(
    frame: pl.DataFrame, columns: tuple[Column, ...], dataset: Dataset, table: SourceTable
) -> list[TableProblem]:
    """Every rule that `frame` breaks, the most basic one first.

    Args:
        frame: `ROW` and the canonical `columns`, in the file's order, the target as Float64.
        columns: The specifications of the frame's columns.
        dataset: The table's dataset.
        table: The file, for places in messages.
    """
    rules, problems = rules_of(columns), []
    counts = frame.select(rule.broken.sum().alias(str(place)) for place, rule in enumerate(rules)).row(0)
    for rule, count in zip(rules, counts, strict=True):
        if count:
            rows = frame.filter(rule.broken)
            first = rows.row(0, named=True)
            what = rule.what.format(value=shown(first[rule.column]), **first)
            more = f" ({count - 1} more row{'s' if count > 2 else ''} like it)" if count > 1 else ""
            place = table.place(first[ROW], dataset.source(rule.column))
            words = _repeated(rows) if rule.check is REPEATED_ID else what + more
            problems.append(TableProblem(rule.check, InputError(words, where=place, remedy=rule.remedy), count))
    return sorted(problems, key=lambda problem: problem.check.code)


def not_applicable(check: Check, names: Sequence[str]) -> str:
    """Why a check of rows does not apply to a table with these canonical columns; empty if it does."""
    if check in {BAD_TARGET, DISAGREEMENT} and "target" not in names:
        return "the table has no labels"
    if check == DISAGREEMENT and not DIAGNOSES.keys() & names:
        return "the table has no diagnosis to compare with"
    if check == NEGATIVE_SIZE and not SIZES.intersection(names):
        return "the table has no sizes"
    return ""


def _repeated(rows: pl.DataFrame) -> str:
    first = rows["isic_id"][0]
    same = [row + 1 for row in rows.filter(pl.col("isic_id") == first)[ROW]]
    distinct = rows["isic_id"].n_unique()
    also = f", and {distinct - 1} other ids are repeated" if distinct > 1 else ""
    where = " and ".join(map(str, same[:2])) + (" and more" if len(same) > 2 else "")
    return f"the image id {shown(first)} appears {len(same)} times (rows {where}){also}"
