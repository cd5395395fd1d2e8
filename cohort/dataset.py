"""A published table described as data: its fields, its patients, and what makes a row malignant."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from cohort.column import CATEGORY, NUMBER, Column

DatasetName = Literal[
    "slice3d",
    "isic2020",
    "isic2019",
    "isic2018",
    "ham10000",
    "isic_archive",
    "pad_ufes_20",
    "milk10k",
    "bcn20000",
    "own",
]


@dataclass(frozen=True)
class Field:
    """One column as a file spells it.

    Attributes:
        source: Name in the file.
        column: What it becomes; its `name` is the canonical one.
        required: Whether a table without it is refused.
        times: Factor that converts a number to the column's unit.
    """

    source: str
    column: Column
    required: bool
    times: float = 1


@dataclass(frozen=True)
class Labels:
    """How a row becomes malignant or benign if the file has no target of 0 and 1; case does not matter.

    Attributes:
        columns: The canonical column of the diagnosis, or the one-hot columns.
        malignant: Diagnoses (or one-hot columns) that count as malignant.
        benign: Those that count as benign; if empty, all others do.
        unknown: Those that are neither, "" for an empty cell; such rows are left out of training.
    """

    columns: tuple[str, ...]
    malignant: tuple[str, ...]
    benign: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def is_one_hot(self) -> bool:
        """Whether there is a column for each diagnosis."""
        return len(self.columns) > 1


@dataclass(frozen=True)
class Dataset:
    """One dataset's table: its fields in official order, and what the canonical frame makes of them.

    Attributes:
        name: Short name, as in `Cohort.dataset`.
        title: Name for people.
        fields: What the file may hold; anything else is left out and reported.
        columns: What the canonical frame may hold.
        files: Official file names without their suffix, the preferred one first.
        because: Which rows are malignant, and who says so.
        labels: How the target follows from other columns; None if the file has it.
        patients: Canonical columns; the first with a value stands in for a patient that is not stated.
        marks: Names without which a file is not taken for this dataset.
        truth: The official file of its labels, if separate from the rest.
        ids_are_files: Whether ids are names of image files, whose suffix is dropped.
    """

    name: DatasetName
    title: str
    fields: tuple[Field, ...]
    columns: tuple[Column, ...]
    files: tuple[str, ...]
    because: str
    labels: Labels | None = None
    patients: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    truth: str = ""
    ids_are_files: bool = False

    @property
    def key(self) -> str:
        """Name in the file of the column that identifies an image."""
        return self._source_of("key")

    @property
    def patient(self) -> str | None:
        """Name in the file of the column that groups images; None if the dataset has none."""
        return self._source_of("patient") or None

    @property
    def label(self) -> tuple[str, ...]:
        """The fields (names in the file) without which the table has no labels."""
        return tuple(self.source(name) for name in (self.labels.columns if self.labels else ("target",)))

    @property
    def always(self) -> frozenset[str]:
        """Canonical columns that are always read: keys, patients, and what labels come from."""
        return frozenset(
            ("isic_id", "patient_id", "target", *self.patients, *(self.labels.columns if self.labels else ()))
        )

    def source(self, name: str) -> str:
        """Name in the file of a canonical column; the canonical name itself for a derived one."""
        return next((field.source for field in self.fields if field.column.name == name), name)

    def _source_of(self, role: str) -> str:
        return next((field.source for field in self.fields if field.column.role == role), "")


def fields_of(
    columns: Sequence[Column],
    renamed: Mapping[str, str],
    *,
    without: Collection[str] = (),
    optional: Collection[str] = (),
) -> tuple[Field, ...]:
    """Fields for all columns in the file; labels and what follows from them are optional."""
    never_required = {"label", "train_only", "licence", "constant"}
    return tuple(
        Field(
            renamed.get(column.name, column.name.removeprefix(NUMBER).removeprefix(CATEGORY)),
            column,
            required=column.role not in never_required and column.name not in optional,
        )
        for column in columns
        if column.name not in without
    )


def one_hot_fields(names: Sequence[str], *, required: bool = True) -> tuple[Field, ...]:
    """A field for each diagnosis of a one-hot table."""
    return tuple(
        Field(
            name,
            Column(name, pl.Float64(), "", 0, 1, f"1 where the diagnosis is {name}", "label"),
            required,
        )
        for name in names
    )
