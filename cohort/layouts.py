"""Published tables that people arrive with and that hold labels or patients in another way: named, with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import InputError

_TABLE = "make one table of"


@dataclass(frozen=True)
class Layout:
    """A table that is not read as it is.

    Attributes:
        title: What it is, for people.
        columns: Names in the file that only it has together.
        remedy: The one thing that makes it readable.
        without: Names that it does not have, unlike another table with these columns.
    """

    title: str
    columns: frozenset[str]
    remedy: str
    without: frozenset[str]


def _layout(title: str, columns: str, remedy: str, *, without: str = "") -> Layout:
    return Layout(title, frozenset(columns.split()), remedy, frozenset(without.split()))


LAYOUTS = (
    _layout(
        "an export of the ISIC archive",
        "isic_id diagnosis_1",
        "add the columns that it lacks: target, 1 where diagnosis_1 is Malignant and 0 elsewhere, and patient_id",
    ),
    _layout(
        "the ground truth of ISIC 2024",
        "isic_id malignant",
        "join it with metadata.csv by isic_id and name the column malignant target",
    ),
    _layout(
        "the supplement of ISIC 2024",
        "isic_id iddx_full",
        "join metadata.csv, the ground truth and this by isic_id and name the column malignant target",
        without="target age_approx",
    ),
    _layout(
        "the test metadata of ISIC 2020",
        "image patient anatom_site_general_challenge",
        "rename image to image_name and patient to patient_id",
    ),
    _layout(
        "the ground truth of ISIC 2019",
        "image MEL AK SCC UNK",
        f"{_TABLE} image_name, patient_id (lesion_id in the metadata of ISIC 2019; the image where it is empty) and "
        "target (1 where MEL, BCC, AK or SCC is 1)",
    ),
    _layout(
        "the metadata of ISIC 2019",
        "image lesion_id anatom_site_general age_approx",
        f"{_TABLE} it and the ground truth of ISIC 2019: image_name, patient_id (the lesion_id; the image where it is "
        "empty), target (1 where MEL, BCC, AK or SCC is 1), age_approx and sex",
    ),
    _layout(
        "PAD-UFES-20",
        "img_id diagnostic fitspatrick",
        f"{_TABLE} image_name (the img_id without .png), patient_id, target (1 where diagnostic is BCC, SCC or MEL), "
        "age_approx (the age) and sex (the gender)",
    ),
    _layout(
        "the metadata of MILK10k (ISIC 2025)",
        "isic_id lesion_id skin_tone_class",
        f"{_TABLE} it and the ground truth: isic_id, patient_id (the lesion_id), target (1 where AKIEC, BCC, MAL_OTH, "
        "MEL or SCCKA is 1), age_approx and sex",
    ),
    _layout(
        "the ground truth of MILK10k (ISIC 2025)",
        "lesion_id BEN_OTH MAL_OTH SCCKA",
        f"{_TABLE} it and the metadata: isic_id, patient_id (the lesion_id) and target (1 where AKIEC, BCC, MAL_OTH, "
        "MEL or SCCKA is 1)",
    ),
    _layout(
        "the metadata of BCN20000",
        "bcn_filename diagnosis",
        f"{_TABLE} image_name (the bcn_filename without .jpg), patient_id (the lesion_id), target (1 where diagnosis "
        "is MEL, BCC, AK or SCC), age_approx and sex",
    ),
)
"""Of two that a table may be, the one with more columns is meant."""


def layout_of(header: Sequence[str]) -> Layout | None:
    """Which of `LAYOUTS` a table has; None for none of them."""
    present = {name.strip() for name in header}
    found = [layout for layout in LAYOUTS if layout.columns <= present and not layout.without & present]
    return max(found, key=lambda layout: len(layout.columns)) if found else None


def in_its_name(error: InputError, header: Sequence[str]) -> InputError:
    """The refusal of a table, with what it looks like and what to do in place of general advice, if that is known."""
    layout = layout_of(header)
    if layout is None:
        return error
    return InputError(f"this looks like {layout.title}: {error.what}", where=error.where, remedy=layout.remedy)
