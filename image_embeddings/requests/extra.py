"""Extra tables of a training request: lesions that models learn from but never score."""

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
from image_embeddings.overlap import is_named, names_in
from image_embeddings.requests.models import ExtraTable

PATIENT, LESION = "patient_id", "lesion_id"


@dataclass(frozen=True)
class ExtraLesions:
    """An extra table, without the lesions and patients of the table that is scored.

    Attributes:
        name: Name of the table.
        lesions: Canonical columns; ids as in the table.
        store: Where its crops are.
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
        """isic_id, patient_id, target and perhaps lesion_id; image and patient ids are unique to this table."""
        renamed = {
            name: pl.Series([extra_id(self.name, each) for each in self.lesions[name]], dtype=pl.String)
            for name in (ID, PATIENT)
        }
        more = [LESION] if LESION in self.lesions.columns else []
        return self.lesions.select(ID, PATIENT, "target", *more).with_columns(**renamed)


def read_extra(
    tables: Mapping[str, ExtraTable], own: pl.DataFrame, *, on_bad: OnBad, columns: frozenset[str]
) -> list[ExtraLesions]:
    """Read extra tables, leaving out what is in the scored table or in an earlier extra table.

    Args:
        tables: Tables by name.
        own: The lesions that are scored: isic_id, patient_id and perhaps lesion_id.
        on_bad: Whether lesions without a crop are refused.
        columns: Further columns to read, if present.

    Raises:
        InputError: A table or its images cannot be read, it has no labels, or nothing of it is left.
    """
    found: list[ExtraLesions] = []
    known = names_in(own)
    for name, given in tables.items():
        with within(f"extra.{name}"):
            lesions, store = _lesions(name, given, known, columns), open_store(given.images)
            _refuse_absent(name, store, lesions[ID].to_list(), on_bad)
        found.append(ExtraLesions(name, lesions, store))
        known |= set(lesions[ID])
    return found


def _refuse_absent(name: str, store: ImageStore, ids: list[str], on_bad: OnBad) -> None:
    absent = absent_crops(store, ids, on_bad)
    if absent is None:
        return
    if not any(map(store.has, ids)):
        raise absent
    log.warning("extra.%s: %s", name, absent)


def _lesions(name: str, given: ExtraTable, known: set[str], columns: frozenset[str]) -> pl.DataFrame:
    """Labelled lesions of other patients."""
    table = read_cohort(
        given.metadata,
        labels="known",
        ungrouped=True,
        join=given.join or None,
        only=columns | {LESION},
        columns=given.columns,
    ).frame
    kept = table.filter(~is_named(table, known))
    if kept.is_empty():
        raise InputError(
            "all of its lesions are of patients that are scored, or in an extra table before",
            where=str(given.metadata),
            remedy="give a table of other patients",
        )
    log.info(
        "extra.%s: %s lesions to learn from, %s malignant; %s left out that are scored, or of patients that are",
        *(name, f"{len(kept):,}", f"{kept['target'].sum():,}", f"{len(table) - len(kept):,}"),
    )
    return kept
