"""One table: can it be read, which rows break a rule, and what does it hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cohort.canonical import canonical_order
from cohort.checking.contents import check_contents
from cohort.dataset import Dataset
from cohort.duplicates import DUPLICATES, apply_duplicates, read_pairs
from cohort.findings import Check, Finding
from cohort.mapping import Mapped
from cohort.reading import (
    NO_MAPPING,
    Cohort,
    absent_columns,
    open_tables,
    recognise_table,
    require_mapped,
    unknown_columns,
)
from cohort.rows import read_rows
from cohort.rules import ROW_CHECKS
from cohort.tables import SourceTable
from cohort.validation import not_applicable
from engine.errors import InputError

UNREADABLE = Check("UD101", "a table that cannot be read", "error")
NO_COLUMN = Check("UD102", "columns without which a table cannot be used", "error")
BAD_CELL = Check("UD103", "cells that cannot be read", "error")


@dataclass(frozen=True)
class Companions:
    """What helps to read a table; see `cohort.reading.read_cohort`."""

    duplicates: Path | None = None
    groups: Path | None = None
    ungrouped: bool = False
    columns: Mapped = field(default_factory=lambda: NO_MAPPING)
    join: Sequence[Path] | None = None


def check_table(path: Path, companions: Companions, *, training: bool = False) -> tuple[list[Finding], Cohort | None]:
    """All findings about one table, and the table itself if it could be read and no row breaks a rule.

    Args:
        path: The table.
        companions: What helps to read it.
        training: Whether every column of a mapping must be present.
    """
    where = path.name
    try:
        table = open_tables(path, companions.join)
    except InputError as error:
        return [UNREADABLE.found(str(error), where=where)], None
    findings = [UNREADABLE.clear(f"{len(table.header)} columns", where=where)]
    try:
        dataset = recognise_table(table, ungrouped=companions.ungrouped, columns=companions.columns)
        if training:
            require_mapped(companions.columns, dataset, table)
    except InputError as error:
        return [*findings, NO_COLUMN.found(str(error), where=where)], None
    findings += [
        NO_COLUMN.clear(f"recognised as {dataset.title}", where=where, dataset=dataset.name),
        unknown_columns(dataset, table),
        absent_columns(dataset, table),
    ]
    rows, cohort = _check_rows(table, dataset, companions)
    findings += rows
    if cohort is not None:
        findings += _check_duplicates(cohort, companions, where=where)
        findings += check_contents(cohort, where=where)
    return sorted(findings, key=lambda finding: finding.code), cohort


def _check_rows(table: SourceTable, dataset: Dataset, companions: Companions) -> tuple[list[Finding], Cohort | None]:
    where = table.path.name
    # A table whose dataset has no patients can still be checked, image by image; UD114 says so.
    ungrouped = companions.ungrouped or dataset.patient is None
    groups = companions.groups if dataset.patient is None else None
    try:
        read = read_rows(table, dataset, groups=groups, ungrouped=ungrouped, training=True)
    except InputError as error:
        return [BAD_CELL.found(str(error), where=where)], None
    broken = {problem.check: problem for problem in reversed(read.problems)}
    findings = [BAD_CELL.clear("every cell has its column's type", where=where)]
    for check in ROW_CHECKS:
        if check in broken:
            findings.append(broken[check].as_finding(where=where))
        elif reason := not_applicable(check, read.frame.columns):
            findings.append(check.not_applicable(reason, where=where))
        else:
            findings.append(check.clear("none", where=where))
    if read.problems:
        return findings, None
    cohort = Cohort(dataset.name, *canonical_order(read.frame), read.columns)
    return [*findings, *read.findings], cohort


def _check_duplicates(cohort: Cohort, companions: Companions, *, where: str) -> list[Finding]:
    path = companions.duplicates
    if cohort.dataset != "isic2020":
        return []
    if path is None:
        return [DUPLICATES.not_applicable("no list of duplicates was given or lies in the folder", where=where)]
    try:
        pairs = read_pairs(path)
    except InputError as error:
        return [UNREADABLE.found(str(error), where=path.name)]
    return list(apply_duplicates(cohort.frame, pairs, "group")[1])
