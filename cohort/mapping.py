"""A clinic's own table: which of its columns are ours, in which unit, and what else in it may become a feature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from cohort.column import CATEGORY, FEATURE_NAME, FEATURE_NAMING, NUMBER, Column, number, text
from cohort.columns import NEVER_FEATURES, SLICE3D
from cohort.dataset import Dataset, Field, Labels
from engine.errors import InputError

WHERE = "[data.columns] (of an extra table, under its columns)"
"""Where the configuration says what a table calls our columns."""
_OURS = {
    column.name: column
    for column in SLICE3D
    if column.role in {"key", "patient", "label", "numeric", "category"} or column.name == "lesion_id"
}


@dataclass(frozen=True)
class ColumnSource:
    """Where a column comes from.

    Attributes:
        column: Name in the file.
        times: Factor that converts a number to our unit.
        kind: For a column that SLICE-3D lacks: a number or a category.
        malignant: For the target: the diagnoses that count as malignant; if empty, the column holds 0 and 1.
        benign: For the target: those that count as benign, "" for an empty cell; if empty, all others do.
    """

    column: str
    times: float = 1
    kind: Literal["number", "category"] | None = None
    malignant: tuple[str, ...] = ()
    benign: tuple[str, ...] = ()


Mapped = Mapping[str, ColumnSource]
"""Where columns come from, by our name or, for further ones, the user's."""


def check_mapping(columns: Mapped) -> None:
    """Refuse a mapping that makes no sense.

    Raises:
        InputError: A name is neither one of ours nor says what kind of column it is, an option does not fit its
            column, or a feature would reveal the diagnosis.
    """
    labels = NEVER_FEATURES
    told = {columns["target"].column} if "target" in columns else set()
    for name, source in columns.items():
        feature = name not in _OURS or _OURS[name].role in {"numeric", "category"}
        if name in _OURS and source.kind is not None:
            raise _wrong(name, "is one of our columns, so its kind is known", "leave kind out")
        if name not in _OURS and source.kind is None:
            raise _wrong(name, "is none of our columns", 'say kind = "number" or "category", or use one of our names')
        if name not in _OURS and not FEATURE_NAME.fullmatch(name):
            raise _wrong(name, "cannot name a feature", FEATURE_NAMING)
        if feature and (source.column in told or source.column in labels or name in labels):
            raise _wrong(name, f"from {source.column!r} would tell the diagnosis or name the lesion", "leave it out")
        if source.times != 1 and column_of(name, source).role != "numeric":
            raise _wrong(name, "is no number, so it cannot be multiplied", "leave times out")
        if (source.malignant or source.benign) and name != "target":
            raise _wrong(name, "is not the target", "say malignant and benign of the target alone")
        if source.benign and not source.malignant:
            raise _wrong(name, "says what is benign alone", "say what is malignant, too")


def column_of(name: str, source: ColumnSource) -> Column:
    """What a mapped column becomes."""
    if name in _OURS:
        return _OURS[name]
    if source.kind == "category":
        return text(f"{CATEGORY}{name}", f"{source.column} in the file")
    return number(f"{NUMBER}{name}", "", None, None, f"{source.column} in the file")


def mapped(base: Dataset | None, columns: Mapped, header: list[str]) -> Dataset:
    """A dataset that reads the mapped columns.

    Args:
        base: The table's published dataset; None for none.
        columns: The mapping. If a table lacks one of its columns, that of `base` or one under our name will do.
        header: Names in the file.
    """
    base = base or _own()
    there = {field.column.name for field in base.fields if field.source in header}
    found = {name: source for name, source in columns.items() if source.column in header or name not in there}
    fields = [_field(name, source) for name, source in found.items()]
    names = {field.column.name for field in fields}
    kept = [field for field in base.fields if field.column.name not in names]
    labels = base.labels
    if "target" in found:
        source = found["target"]
        kept = [field for field in kept if field.column.role != "label"]
        lower = {side: tuple(value.lower() for value in getattr(source, side)) for side in ("malignant", "benign")}
        labels = (
            Labels(("diagnosis",), **lower, unknown=() if "" in lower["benign"] else ("",))
            if source.malignant
            else None
        )
    patients = () if "patient_id" in found else base.patients
    described = {column.name: column for column in base.columns} | {field.column.name: field.column for field in fields}
    return replace(base, fields=(*fields, *kept), columns=tuple(described.values()), labels=labels, patients=patients)


def _field(name: str, source: ColumnSource) -> Field:
    column = column_of(name, source)
    if name == "target" and source.malignant:
        column = text("diagnosis", f"{source.column} in the file", "train_only")
    return Field(source.column, column, required=column.role in {"key", "patient"}, times=source.times)


def _own() -> Dataset:
    """A table of no known dataset: whatever SLICE-3D columns it has."""
    diagnosis = text("diagnosis", "diagnosis", "train_only")
    return Dataset(
        name="own",
        title="a table of your own",
        fields=tuple(Field(column.name, column, required=column.role in {"key", "patient"}) for column in SLICE3D),
        columns=(*SLICE3D, diagnosis),
        files=(),
        because="as [data.columns] says",
        ids_are_files=True,
    )


def _wrong(name: str, what: str, remedy: str) -> InputError:
    return InputError(f"{name} {what}", remedy=remedy)
