"""Whether a model made elsewhere was trained on lesions that are to be scored as new."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cohort.frames import ID
from cv_folds.folds import Folds
from engine.console import log
from engine.errors import InputError
from image_embeddings.spec import checked_table

_FOLDS, _EXTRA = "folds.parquet", "extra.parquet"


def refuse_own_lesions(source: Path, own: pl.DataFrame, *, table: str, where: str, remedy: str) -> None:
    """Refuse a model trained on lesions or patients of `own`; warn of one that does not say what it was trained on.

    Args:
        source: Folder of the model.
        own: isic_id, patient_id.
        table: What `own` is to the user: "run" or "table".
        where: What names the model, for the user.
        remedy: What to do instead.

    Raises:
        InputError: It was.
    """
    if not (source / _FOLDS).is_file():
        log.warning(
            "%s: the model does not say what it was trained on; it must not be lesions of this %s", where, table
        )
        return
    known = Folds.read(checked_table(source, _FOLDS)).frame.select(ID, "patient_id")
    if (source / _EXTRA).is_file():
        known = pl.concat([known, pl.read_parquet(checked_table(source, _EXTRA)).select(known.columns)])
    for key, word in ((ID, "lesions"), ("patient_id", "patients")):
        shared = own[key].unique().is_in(known[key].implode()).sum()
        if shared:
            raise InputError(
                f"it was trained on {shared:,} {word} of this {table}, whose scores would be flattered",
                where=where,
                remedy=remedy,
            )
