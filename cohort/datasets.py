"""The datasets whose tables can be read, and how a table is recognised by its columns."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from cohort.columns import HAM10000, ISIC2018, ISIC2020, ONE_HOT, SLICE3D, Column
from engine.errors import InputError

DatasetName = Literal["slice3d", "isic2020", "isic2018", "ham10000"]


@dataclass(frozen=True)
class Field:
    """One column as a file spells it.

    Attributes:
        source: Name in the file.
        column: What becomes of it; its `name` is the canonical one.
        required: Whether a table without it is refused.
    """

    source: str
    column: Column
    required: bool


@dataclass(frozen=True)
class Dataset:
    """One dataset's table: its fields in official order, and what the canonical frame makes of them.

    Attributes:
        name: Short name, as in `Cohort.dataset`.
        title: Name for people.
        fields: What the file may hold; anything else is left out and reported.
        columns: What the canonical frame may hold.
        label: The fields (names in the file) without which the table has no labels.
        files: Official file names without their suffix, the preferred one first.
    """

    name: DatasetName
    title: str
    fields: tuple[Field, ...]
    columns: tuple[Column, ...]
    label: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def key(self) -> str:
        """Name in the file of the column that identifies an image."""
        return self._source_of("key")

    @property
    def patient(self) -> str | None:
        """Name in the file of the column that groups images; None where the dataset has none."""
        return self._source_of("patient") or None

    def source(self, name: str) -> str:
        """Name in the file of a canonical column; the canonical name itself for a derived one."""
        return next((field.source for field in self.fields if field.column.name == name), name)

    def _source_of(self, role: str) -> str:
        return next((field.source for field in self.fields if field.column.role == role), "")


def _fields(columns: Sequence[Column], *, renamed: dict[str, str], optional: Collection[str]) -> tuple[Field, ...]:
    """Fields for all columns that stand in the file; labels and what follows from them are optional."""
    never_required = {"label", "train_only", "licence", "constant"}
    return tuple(
        Field(
            renamed.get(column.name, column.name),
            column,
            required=column.role not in never_required and column.name not in optional,
        )
        for column in columns
    )


_ISIC2018_FIELDS = (
    Field("image", ISIC2018[0], required=True),
    *(
        Field(
            name, Column(name, pl.Float64(), "", 0, 1, f"1 where the diagnosis is {name}", "label", in_test=False), True
        )
        for name in ONE_HOT
    ),
)

DATASETS: tuple[Dataset, ...] = (
    Dataset(
        name="slice3d",
        title="SLICE-3D (ISIC 2024)",
        fields=_fields(SLICE3D, renamed={}, optional=()),
        columns=SLICE3D,
        label=("target",),
        files=("train-metadata", "test-metadata"),
    ),
    Dataset(
        name="isic2020",
        title="ISIC 2020 (SIIM-ISIC)",
        fields=_fields(
            ISIC2020,
            renamed={"isic_id": "image_name", "anatom_site_general": "anatom_site_general_challenge"},
            optional=(),
        ),
        columns=ISIC2020,
        label=("target",),
        files=("ISIC_2020_Training_GroundTruth_v2", "ISIC_2020_Training_GroundTruth"),
    ),
    Dataset(
        name="ham10000",
        title="HAM10000",
        fields=_fields(
            tuple(column for column in HAM10000 if column.name != "target"),
            renamed={
                "isic_id": "image_id",
                "patient_id": "lesion_id",
                "diagnosis": "dx",
                "age_approx": "age",
                "anatom_site_general": "localization",
                "attribution": "dataset",
            },
            optional=("attribution",),
        ),
        columns=HAM10000,
        label=("dx",),
        files=("HAM10000_metadata",),
    ),
    Dataset(
        name="isic2018",
        title="ISIC 2018 task 3 ground truth",
        fields=_ISIC2018_FIELDS,
        columns=ISIC2018,
        label=ONE_HOT,
        files=("ISIC2018_Task3_Training_GroundTruth",),
    ),
)


def recognise(header: Sequence[str], *, where: str) -> Dataset:
    """The dataset whose columns a table has.

    The one with the most of its columns among `header` wins, its key counting twice; without the key at least half of
    its required columns must be there, so that a misspelt key is named as such.

    Raises:
        InputError: The columns are those of no known dataset.
    """
    present = set(header)

    def score(dataset: Dataset) -> int:
        return sum(field.source in present for field in dataset.fields) + (dataset.key in present)

    best = max(DATASETS, key=score)
    required = [field.source for field in best.fields if field.required]
    if best.key in present or 2 * len(present.intersection(required)) >= len(required):
        return best
    raise InputError(
        f"these are the columns of no known dataset: {shorten(header)}",
        where=where,
        remedy="give a table of isic_id, patient_id, for training target, and any other columns of SLICE-3D",
    )


def require_columns(
    dataset: Dataset, header: Sequence[str], *, where: str, ungrouped: bool, only: Collection[str] | None = None
) -> None:
    """Refuse a table without its key, its patients or its one-hot labels, or with the name of a column misspelt.

    Any other column may be absent. An ungrouped table needs no patients; where `only` names canonical columns, the
    names of others may be misspelt.

    Raises:
        InputError: A column is missing; names the nearest one present that is not a known column itself.
    """
    needed = {"key", "label"} if ungrouped else {"key", "label", "patient"}
    required = [field for field in dataset.fields if field.required and field.column.role in needed]
    missing = [field.source for field in required if field.source not in header]
    if missing:
        first, others, near = missing[0], len(missing) - 1, nearest(missing[0], dataset, header)
        also = f", and {others} more ({shorten(missing[1:])})" if others else ""
        raise InputError(
            f"column {first} is missing{also}{near}",
            where=where,
            remedy=f"{dataset.title} needs it: {'rename the column' if near else 'add it, or use the official file'}"
            + (", or read the table as ungrouped" if first == dataset.patient else ""),
        )
    for name in absent(dataset, header, only):
        if found := _misspelt(name, dataset, header):
            raise InputError(
                f"column {name} is missing, the nearest column is {found!r}", where=where, remedy=f"rename it to {name}"
            )


def absent(dataset: Dataset, header: Sequence[str], only: Collection[str] | None = None) -> list[str]:
    """Columns that the dataset's features come from and a table lacks, as a file spells them, in official order."""
    features = [field for field in dataset.fields if field.required and field.column.role in {"numeric", "category"}]
    return [
        field.source for field in features if field.source not in header and (only is None or field.column.name in only)
    ]


def _misspelt(name: str, dataset: Dataset, header: Sequence[str]) -> str | None:
    """The unknown column that differs from `name` in capitals, spaces and punctuation only."""
    known = {field.source for field in dataset.fields}
    return next((column for column in header if column not in known and _bare(column) == _bare(name)), None)


def _bare(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def nearest(name: str, dataset: Dataset, header: Sequence[str]) -> str:
    """A clause that names the unknown column nearest to `name`; empty where none is near."""
    known = {field.source for field in dataset.fields}
    strangers = {column.strip().lower(): column for column in header if column not in known}
    close = difflib.get_close_matches(name.lower(), list(strangers), n=1, cutoff=0.6)
    return f", the nearest column is {strangers[close[0]]!r}" if close else ""


def shorten(names: Sequence[str], most: int = 6) -> str:
    """At most `most` names, quoted where empty, with the number of the others."""
    shown = ", ".join(name or "(unnamed)" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
