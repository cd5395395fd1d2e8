"""What a readable table holds: missing and implausible values, constants, patients, prevalence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from cohort.checking.relations import check_relations
from cohort.column import Column
from cohort.findings import Check, Finding
from cohort.reading import Cohort
from engine.errors import shorten

MISSING = Check("UD120", "missing values", "info")
IMPLAUSIBLE = Check("UD121", "values outside the plausible range", "warning")
CONSTANT = Check("UD123", "columns that hold one value or none", "info")
SINGLE = Check("UD124", "patients with a single lesion", "info")
PREVALENCE = Check("UD125", "malignant lesions", "info")
TELLING = Check("UD127", "columns whose gaps tell the label", "warning")
ONE_CLASS = Check("UD126", "labels of one class only", "warning")
_FEWEST = 20  # rows with and without a value, for their labels to mean something
_SURE, _TIMES = 6.0, 3.0  # standard errors apart, and this many times as often


def check_contents(cohort: Cohort, *, where: str) -> Iterator[Finding]:
    """Findings about the values of a table that could be read."""
    columns = _informative(cohort)
    yield _missing(cohort.frame, columns, where)
    yield _implausible(cohort.frame, columns, where)
    yield check_relations(cohort.frame, where=where)
    yield _constant(cohort.frame, columns, where)
    yield _single(cohort.frame, where)
    yield from _labels(cohort.frame, where)
    yield _telling(cohort.frame, columns, where)


def _informative(cohort: Cohort) -> list[Column]:
    """The columns of the table that a model may see."""
    return [column for column in cohort.columns if column.role in {"numeric", "category"}]


def _missing(frame: pl.DataFrame, columns: list[Column], where: str) -> Finding:
    shares = {column.name: frame[column.name].null_count() / len(frame) for column in columns}
    some = dict(sorted(((name, share) for name, share in shares.items() if share), key=lambda item: -item[1]))
    if not columns:
        return MISSING.not_applicable("the table holds ids and labels only", where=where)
    if not some:
        return MISSING.clear(f"none in {len(columns)} columns of {len(frame)} rows", where=where)
    listed = shorten([f"{name} {share:.2%}" for name, share in some.items()])
    return MISSING.found(f"in {len(some)} of {len(columns)} columns: {listed}", where=where, shares=some)


def _implausible(frame: pl.DataFrame, columns: list[Column], where: str) -> Finding:
    numbers = [column for column in columns if column.low is not None and column.high is not None]
    if not numbers:
        return IMPLAUSIBLE.not_applicable("the table holds no numbers", where=where)
    outside = [found for column in numbers if (found := _outside(frame, column)) is not None]
    if not outside:
        return IMPLAUSIBLE.clear(f"none in {len(numbers)} columns", where=where)
    listed = shorten(
        [
            f"{found['column']} in {found['rows']} rows ({found['smallest']:g} to {found['largest']:g},"
            f" plausible {found['low']:g} to {found['high']:g})"
            for found in outside
        ]
    )
    return IMPLAUSIBLE.found(listed, where=where, columns=outside)


def _outside(frame: pl.DataFrame, column: Column) -> dict[str, Any] | None:
    value = pl.col(column.name)
    rows, smallest, largest = frame.select(
        (~value.is_between(column.low, column.high)).sum().alias("rows"),
        value.min().alias("smallest"),
        value.max().alias("largest"),
    ).row(0)
    if not rows:
        return None
    bounds = {"low": column.low, "high": column.high}
    return {"column": column.name, "rows": rows, "smallest": smallest, "largest": largest, **bounds}


def _constant(frame: pl.DataFrame, columns: list[Column], where: str) -> Finding:
    if len(frame) < 2 or not columns:
        return CONSTANT.not_applicable("this needs two rows and a column next to ids and labels", where=where)
    constant = [column.name for column in columns if frame[column.name].drop_nulls().n_unique() < 2]
    if not constant:
        return CONSTANT.clear(f"none of {len(columns)} columns", where=where)
    return CONSTANT.found(f"{len(constant)}: {shorten(constant)}", where=where, columns=constant)


def _single(frame: pl.DataFrame, where: str) -> Finding:
    sizes = frame.group_by("patient_id", maintain_order=True).len()["len"].sort()
    alone = int((sizes == 1).sum())
    values = {"patients": len(sizes), "single": alone, "smallest": sizes[0], "largest": sizes[-1]}
    spread = f"{len(sizes)} patients with {sizes[0]} to {sizes[-1]} lesions"
    if not alone:
        return SINGLE.clear(f"none of {spread}", where=where, **values)
    return SINGLE.found(f"{alone} of {spread}; they cannot be compared within themselves", where=where, **values)


def _labels(frame: pl.DataFrame, where: str) -> Iterator[Finding]:
    if "target" not in frame.columns:
        yield PREVALENCE.not_applicable("the table has no labels", where=where)
        yield ONE_CLASS.not_applicable("the table has no labels", where=where)
        return
    malignant, lesions = int(frame["target"].sum()), len(frame)
    patients = frame.filter(pl.col("target") == 1)["patient_id"].n_unique()
    measured = f"{malignant} of {lesions} ({malignant / lesions:.3%}), in {patients} patients"
    values = {"malignant": malignant, "lesions": lesions, "patients": patients}
    yield PREVALENCE.found(measured, where=where, **values)
    if 0 < malignant < lesions:
        yield ONE_CLASS.clear("both classes are there", where=where)
    else:
        yield ONE_CLASS.found("such a table can be scored but not trained on", where=where)


def _telling(frame: pl.DataFrame, columns: list[Column], where: str) -> Finding:
    """Columns that are empty for lesions of one label far more often than chance explains, as after a biopsy."""
    if "target" not in frame.columns:
        return TELLING.not_applicable("the table has no labels", where=where)
    found = {column.name: shares for column in columns if (shares := _shares_by_gap(frame, column.name)) is not None}
    if not found:
        return TELLING.clear(f"none of {len(columns)}", where=where)
    said = [f"{name} ({gap:.1%} malignant where empty, {rest:.1%} elsewhere)" for name, (gap, rest) in found.items()]
    return TELLING.found(f"{len(found)}, so figures may be flattered: {shorten(said)}", where=where, columns=found)


def _shares_by_gap(frame: pl.DataFrame, name: str) -> tuple[float, float] | None:
    """Malignant share where a column is empty and where not, if they differ greatly and not by chance."""
    missing = frame[name].is_null()
    gap, rest = frame["target"].filter(missing), frame["target"].filter(~missing)
    if min(len(gap), len(rest)) < _FEWEST:
        return None
    empty, known = int(gap.sum()) / len(gap), int(rest.sum()) / len(rest)
    share = int(frame["target"].sum()) / len(frame)
    error = (share * (1 - share) * (1 / len(gap) + 1 / len(rest))) ** 0.5
    telling = abs(empty - known) > _SURE * error and max(empty, known) > _TIMES * min(empty, known)
    return (empty, known) if telling else None
