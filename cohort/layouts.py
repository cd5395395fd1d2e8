"""Parts of published data that say too little by themselves: named where they are refused, with what to do."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import InputError

# What each is, names in the file that only it has together, names that it lacks unlike the whole, and the whole.
_PARTS = (
    ("the ground truth of ISIC 2024", "isic_id malignant", "patient_id", "metadata.csv"),
    ("the supplement of ISIC 2024", "isic_id iddx_full", "patient_id target malignant", "metadata.csv"),
    ("the ground truth of ISIC 2019", "image MEL AK SCC UNK", "lesion_id", "ISIC_2019_Training_Metadata.csv"),
    ("the ground truth of MILK10k", "lesion_id BEN_OTH MAL_OTH SCCKA", "isic_id", "MILK10k_Training_Metadata.csv"),
)


def in_its_name(error: InputError, header: Sequence[str]) -> InputError:
    """The refusal of a table, with what it looks like and what to do in place of general advice, if that is known."""
    present = {name.strip() for name in header}
    for title, columns, lacking, whole in _PARTS:
        if present.issuperset(columns.split()) and present.isdisjoint(lacking.split()):
            remedy = f"name {whole} in its place, and put this next to it or list it under [data] join"
            return InputError(f"this looks like {title}: {error.what}", where=error.where, remedy=remedy)
    return error
