"""Parts of published data that say too little by themselves: named where they are refused, with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import InputError


@dataclass(frozen=True)
class Part:
    """A table that is read only together with another.

    Attributes:
        title: What it is, for people.
        columns: Names in the file that only it has together.
        without: Names that it does not have, unlike the whole.
        remedy: The one thing that makes it readable.
    """

    title: str
    columns: frozenset[str]
    without: frozenset[str]
    remedy: str


def _part(title: str, columns: str, without: str, whole: str) -> Part:
    remedy = f"name {whole} in its place, and put this next to it or list it under [data] join"
    return Part(title, frozenset(columns.split()), frozenset(without.split()), remedy)


PARTS = (
    _part("the ground truth of ISIC 2024", "isic_id malignant", "patient_id", "metadata.csv"),
    _part("the supplement of ISIC 2024", "isic_id iddx_full", "patient_id target malignant", "metadata.csv"),
    _part("the ground truth of ISIC 2019", "image MEL AK SCC UNK", "lesion_id", "ISIC_2019_Training_Metadata.csv"),
    _part("the ground truth of MILK10k", "lesion_id BEN_OTH MAL_OTH SCCKA", "isic_id", "MILK10k_Training_Metadata.csv"),
)


def part_of(header: Sequence[str]) -> Part | None:
    """Which of `PARTS` a table is; None for none of them."""
    present = {name.strip() for name in header}
    return next((part for part in PARTS if part.columns <= present and not part.without & present), None)


def in_its_name(error: InputError, header: Sequence[str]) -> InputError:
    """The refusal of a table, with what it looks like and what to do in place of general advice, if that is known."""
    part = part_of(header)
    if part is None:
        return error
    return InputError(f"this looks like {part.title}: {error.what}", where=error.where, remedy=part.remedy)
