"""Extra tables of a request to train: lesions that models learn from and that are never scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from cohort.frames import ID
from cohort.reading import read_cohort
from cohort.stores.naming import absent_crops
from cohort.stores.opening import open_store
from cohort.stores.protocol import ImageStore, OnBad
from engine.console import log
from engine.errors import InputError, within
from image_embeddings.joined_store import extra_id
from image_embeddings.requests.models import ExtraTable

PATIENT = "patient_id"


@dataclass(frozen=True)
class ExtraLesions:
    """An extra table, without the lesions and patients of the table that is scored.

    Attributes:
        name: How it is called.
        lesions: Canonical columns; ids as they are in the table.
        store: Where its crops lie.
    """

    name: str
    lesions: pl.DataFrame
    store: ImageStore

    @property
    def ids(self) -> list[str]:
        """isic_id of every lesion, as its own table has it."""
        return self.lesions[ID].to_list()

    @property
    def renamed(self) -> pl.DataFrame:
        """isic_id, patient_id and target, under ids of lesions and patients that no other table has."""
        renamed = {
            name: pl.Series([extra_id(self.name, each) for each in self.lesions[name]], dtype=pl.String)
            for name in (ID, PATIENT)
        }
        return self.lesions.select(ID, PATIENT, "target").with_columns(**renamed)


def read_extra(
    tables: Mapping[str, ExtraTable], own: pl.DataFrame, *, on_bad: OnBad, columns: frozenset[str]
) -> list[ExtraLesions]:
    """Read extra tables; what is in the table that is scored as well is left out of them.

    Args:
        tables: By name.
        own: isic_id and patient_id of the lesions that are scored.
        on_bad: Whether lesions without a crop are refused.
        columns: What else of the tables is read, where it is there.

    Raises:
        InputError: A table or its images cannot be read, it has no labels, or nothing of it is left.
    """
    found = []
    for name, given in tables.items():
        with within(f"extra.{name}"):
            found.append(ExtraLesions(name, _lesions(name, given, own, columns), open_store(given.images)))
            absent = absent_crops(found[-1].store, found[-1].ids, on_bad)
            if absent is not None:
                log.warning("extra.%s: %s", name, absent)
    return found


def _lesions(name: str, given: ExtraTable, own: pl.DataFrame, columns: frozenset[str]) -> pl.DataFrame:
    """Labelled lesions of other patients."""
    table = read_cohort(given.metadata, ungrouped=True, join=given.join or None, only=columns).frame
    if "target" not in table.columns:
        raise InputError("no labels", where=str(given.metadata), remedy="give a table of lesions with known diagnoses")
    shared = pl.col(ID).is_in(own[ID].implode()) | pl.col(PATIENT).is_in(own[PATIENT].unique().implode())
    labelled = table.filter(pl.col("target").is_not_null())
    kept = labelled.filter(~shared)
    if kept.is_empty():
        raise InputError(
            "none of its lesions has a label and is of another patient than those that are scored",
            where=str(given.metadata),
            remedy="give a table of other patients",
        )
    log.info(
        "extra.%s: %s lesions to learn from, %s malignant; left out: %s of lesions or patients that are scored, "
        "%s without a label",
        *(name, f"{len(kept):,}", f"{kept['target'].sum():,}"),
        *(f"{len(labelled) - len(kept):,}", f"{len(table) - len(labelled):,}"),
    )
    return kept
