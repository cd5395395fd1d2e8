"""Lesions of other archives: seen in training, never scored, in no fold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import polars as pl

from cohort.frames import ID
from cohort.reading import read_cohort
from cohort.stores.opening import open_store
from cohort.stores.protocol import ImageStore
from engine.console import log
from engine.errors import InputError
from image_embeddings.joined_store import JoinedStore
from image_embeddings.requests.models import ExtraTable


def read_extra(
    tables: Sequence[ExtraTable], own: pl.DataFrame, store: ImageStore, only: Collection[str]
) -> tuple[pl.DataFrame | None, ImageStore]:
    """Read further tables for training, without the lesions and patients that are scored, or are in one before.

    Args:
        tables: Which.
        own: isic_id, patient_id of the lesions that are scored.
        store: Of their crops.
        only: Columns that are used besides ids, patients and labels.

    Returns:
        The rows of all tables that have a crop, None without tables; and the store with their crops.

    Raises:
        InputError: A table or its crops cannot be read, or nothing of it is left.
    """
    if not tables:
        return None, store
    frames, stores, seen = [], [store], own.select(ID, "patient_id")
    owners: dict[str, int] = {}
    for place, table in enumerate(tables, start=1):
        frame = read_cohort(table.metadata, labels="required", ungrouped=table.ungrouped, only=only).frame
        opened = open_store(table.images)
        left = _left(frame, seen, set(opened.ids), table.metadata)
        frames.append(left)
        stores.append(opened)
        owners |= dict.fromkeys(left[ID], place)
        seen = pl.concat([seen, left.select(ID, "patient_id")])
    return pl.concat(frames, how="diagonal_relaxed"), JoinedStore(tuple(stores), owners)


def _left(frame: pl.DataFrame, seen: pl.DataFrame, crops: set[str], path: Path) -> pl.DataFrame:
    known = pl.col(ID).is_in(seen[ID].implode()) | pl.col("patient_id").is_in(seen["patient_id"].implode())
    left = frame.filter(~known, pl.col(ID).is_in(crops))
    doubled = frame.filter(known).height
    if left.is_empty():
        raise InputError(
            f"none of its {frame.height:,} lesions has a crop and is not among those of another table",
            where=str(path),
            remedy="leave this table out, or give the images that belong to it",
        )
    log.info(
        "%s: %s lesions for training only, %s malignant; left out: %s of lesions or patients known already, "
        "%s without a crop",
        *(path.name, f"{left.height:,}", f"{left['target'].sum():,}", f"{doubled:,}"),
        f"{frame.height - left.height - doubled:,}",
    )
    return left
