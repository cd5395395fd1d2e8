"""Parts of published data that say too little by themselves: refused by name, with what to do."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import InputError

# Each part's title, names that only it has together, names that it lacks but the whole has, and the whole.
_PARTS = (
    ("the ground truth of ISIC 2024", "isic_id malignant", "patient_id", "metadata.csv"),
    ("the supplement of ISIC 2024", "isic_id iddx_full", "patient_id target malignant", "metadata.csv"),
    ("the ground truth of ISIC 2019", "image MEL AK SCC UNK", "lesion_id", "ISIC_2019_Training_Metadata.csv"),
    ("the ground truth of MILK10k", "lesion_id BEN_OTH MAL_OTH SCCKA", "isic_id", "MILK10k_Training_Metadata.csv"),
)


def in_its_name(error: InputError, header: Sequence[str]) -> InputError:
    """A table's refusal, with what it looks like and what to do instead of general advice, if known."""
    present = {name.strip() for name in header}
    for title, columns, lacking, whole in _PARTS:
        if present.issuperset(columns.split()) and present.isdisjoint(lacking.split()):
            remedy = f"name {whole} in its place, and put this next to it or list it under [data] join"
            return InputError(f"this looks like {title}: {error.what}", where=error.where, remedy=remedy)
    return error
