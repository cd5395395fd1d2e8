"""Whether a model made elsewhere was trained on lesions that are to be scored as new."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cohort.frames import ID
from cv_folds.folds import Folds
from engine.console import log
from engine.errors import InputError
from image_embeddings.spec import Spec, checked_table

_FOLDS = "folds.parquet"
EXTRA = "extra.parquet"
"""In a model's folder: the lesions of extra tables that it learnt from, under the names in those tables."""
_NAMES = (ID, "patient_id", "lesion_id")
_WORDS = {ID: "lesions", "patient_id": "patients"}


def refuse_own_lesions(source: Path, own: pl.DataFrame, *, table: str, where: str, remedy: str) -> None:
    """Refuse a model trained on lesions or patients of `own`; warn of one that does not say what it was trained on.

    Args:
        source: Folder of the model.
        own: isic_id, patient_id and perhaps lesion_id.
        table: What the user calls `own`: "run" or "table".
        where: Where the user named the model.
        remedy: What to do instead.

    Raises:
        InputError: The model was trained on some of them.
    """
    if not (source / _FOLDS).is_file():
        log.warning(
            "%s: the model does not say what it was trained on; it must not be lesions of this %s", where, table
        )
        return
    known = Folds.read(checked_table(source, _FOLDS)).frame
    shared = {word: int(own[key].unique().is_in(known[key].implode()).sum()) for key, word in _WORDS.items()}
    if (source / EXTRA).is_file() or EXTRA in Spec.read(source).tables:
        learnt = names_in(pl.read_parquet(checked_table(source, EXTRA)))
        shared["lesions, or lesions of patients,"] = int(own.select(is_named(own, learnt)).to_series().sum())
    for word, count in shared.items():
        if count:
            raise InputError(
                f"it was trained on {count:,} {word} of this {table}, whose scores would be flattered",
                where=where,
                remedy=remedy,
            )


def names_in(table: pl.DataFrame) -> set[str]:
    """Every name of an image, a lesion or a patient: archives call the same thing by any of the three."""
    columns = [table[name].drop_nulls() for name in _NAMES if name in table.columns]
    return {name for column in columns for name in column.unique()}


def is_named(table: pl.DataFrame, names: set[str]) -> pl.Expr:
    """Whether a row's image, lesion or patient has one of `names`."""
    wanted = pl.Series(sorted(names), dtype=pl.String).implode()
    columns = [pl.col(name).is_in(wanted).fill_null(value=False) for name in _NAMES if name in table.columns]
    return pl.any_horizontal(columns).alias("named")
