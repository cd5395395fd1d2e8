"""What is known about a lesion table's column: dtype, unit, plausible range, meaning, and may a model see it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

NUMBER, CATEGORY = "number_", "category_"
"""Prefixes of the canonical names of numbers and categories that SLICE-3D lacks; a model may see them."""

FEATURE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")
"""What a user may call a feature: two underscores in a row are reserved."""
FEATURE_NAMING = "begin with a letter; use letters, digits and _, never two _ together"

Role = Literal["key", "patient", "label", "train_only", "licence", "constant", "numeric", "category"]


@dataclass(frozen=True)
class Column:
    """One column of a lesion table.

    Attributes:
        name: Canonical name; SLICE-3D's own if it has the column.
        dtype: Type in the canonical frame.
        unit: Unit of a number; empty for text and for pure numbers.
        low: Smallest plausible value, inclusive; None for text.
        high: Largest plausible value, inclusive; None for text.
        description: What it says about the lesion.
        role: "numeric" and "category" may become features, the other roles never.
    """

    name: str
    dtype: pl.DataType
    unit: str
    low: float | None
    high: float | None
    description: str
    role: Role

    @property
    def in_test(self) -> bool:
        """Whether a table without labels has it."""
        return self.role not in {"label", "train_only"}


def number(name: str, unit: str, low: float | None, high: float | None, description: str) -> Column:
    """A number that may become a feature."""
    return Column(name, pl.Float64(), unit, low, high, description, "numeric")


def text(name: str, description: str, role: Role = "category") -> Column:
    """A category that may become a feature, or text of another role."""
    return Column(name, pl.String(), "", None, None, description, role)


def after_biopsy(name: str, description: str) -> Column:
    """Text known only for labelled lesions."""
    return text(name, description, "train_only")


def train_only(column: Column) -> Column:
    """A column known only for labelled lesions."""
    return replace(column, role="train_only")


TARGET = Column("target", pl.Int8(), "", 0, 1, "1 malignant, 0 benign or indeterminate", "label")
