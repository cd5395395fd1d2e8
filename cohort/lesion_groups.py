"""Which images show the same lesion, for the ISIC 2018 ground truth, which does not say."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cohort.cells import ROW, shown
from cohort.frames import collect
from cohort.tables import open_table
from engine.errors import InputError

_KEYS = ("image", "image_id", "isic_id")


def read_lesion_groups(path: Path) -> pl.DataFrame:
    """Read a lesion-groupings CSV (image, lesion_id) or a HAM10000 metadata table (image_id, lesion_id).

    Returns:
        isic_id (unique) and patient_id (the lesion), both String and without nulls, in the file's order.

    Raises:
        InputError: As `cohort.tables.open_table`, or a column is missing, a cell is empty, an image is listed twice.
    """
    table = open_table(path)
    key = next((name for name in _KEYS if name in table.header), None)
    if key is None or "lesion_id" not in table.header:
        raise InputError(
            "this is no list of lesion groups",
            where=str(path),
            remedy="give a table with the columns image and lesion_id (or a HAM10000 metadata table)",
        )
    frame = table.read({key: pl.String(), "lesion_id": pl.String()})
    holes = frame.filter(pl.any_horizontal(pl.all().is_null()))
    if len(holes):
        raise InputError(
            "the image or its lesion is missing", where=table.place(holes[ROW][0]), remedy="fill in both columns"
        )
    repeated = frame.filter(pl.col(key).is_duplicated())
    if len(repeated):
        raise InputError(
            f"the image {shown(repeated[key][0])} is listed twice",
            where=table.place(repeated[ROW][0]),
            remedy="list each image once",
        )
    return frame.select(isic_id=key, patient_id="lesion_id")


def group_by_lesion(frame: pl.DataFrame, groups: Path | None, *, where: str) -> pl.DataFrame:
    """Add patient_id, the lesion of each image, to a frame that has none.

    Raises:
        InputError: There are no groups, or they lack an image of the frame.
    """
    if groups is None:
        raise InputError(
            "the ground truth does not say which images show the same lesion, so folds could not keep them apart",
            where=where,
            remedy="give the lesion groupings or the HAM10000 metadata as groups, or say that images are ungrouped",
        )
    lesions = read_lesion_groups(groups)
    joined = collect(frame.lazy().join(lesions.lazy(), on="isic_id", how="left", validate="m:1", maintain_order="left"))
    without = joined.filter(pl.col("patient_id").is_null() & pl.col("isic_id").is_not_null())["isic_id"]
    if len(without):
        raise InputError(
            f"{len(without)} images of {where} have no lesion here, the first is {without[0]}",
            where=str(groups),
            remedy="give the groupings that belong to this ground truth",
        )
    return joined
