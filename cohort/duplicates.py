"""ISIC 2020's list of duplicate images: pairs of ids of the same picture, sometimes under two patients."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import polars as pl

from cohort.cells import ROW
from cohort.findings import Check, Finding
from cohort.linking import components
from cohort.tables import read_text_columns
from engine.errors import InputError

DUPLICATES = Check("UD112", "listed duplicate images", "info")
CONFLICTS = Check("UD113", "listed duplicates whose labels differ", "warning")

Policy = Literal["drop", "group"]


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """Read a list of duplicate pairs, columns image_name_1 and image_name_2, in the file's order.

    Raises:
        InputError: As `cohort.tables.open_table`, or a column is missing, or a cell is empty.
    """
    table, frame = read_text_columns(path, ("image_name_1", "image_name_2"))
    holes = frame.filter(pl.any_horizontal(pl.all().is_null()))
    if len(holes):
        raise InputError(
            "one name of the pair is missing", where=table.place(holes[ROW][0]), remedy="give both names of each pair"
        )
    return list(zip(frame["image_name_1"].to_list(), frame["image_name_2"].to_list(), strict=True))


def apply_duplicates(
    frame: pl.DataFrame, pairs: list[tuple[str, str]], policy: Policy
) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    """Drop the listed duplicates, or mark the patients that share a picture.

    Args:
        frame: Canonical, with isic_id and patient_id (and target, if labelled).
        pairs: Ids of the same picture; ids that are not in the frame are ignored.
        policy: "drop" keeps the copy with the smallest isic_id of each set, whatever the labels. "group"
            keeps every row and adds `group` (String): the smallest patient_id among all patients that are linked by
            shared pictures, directly or through others; a patient who shares none is a group of their own.

    Returns:
        The frame in the order given, and findings: how many copies there are, and how many sets of copies carry
        both labels.
    """
    present = set(frame["isic_id"])
    inside = [pair for pair in pairs if present.issuperset(pair)]
    first = components(inside)
    copies = frame.filter(pl.col("isic_id").is_in(list(first)))
    measured = f"{len(inside)} of {len(pairs)} listed pairs are in the table: {len(copies)} images"
    if policy == "drop":
        surplus = [member for member, smallest in first.items() if member != smallest]
        result = frame.filter(~pl.col("isic_id").is_in(surplus))
        measured += f", {len(surplus)} of them left out (the smallest id of each set stays)"
    else:
        result = frame.with_columns(_linked_patients(copies, first, frame["patient_id"]))
        shared = result.filter(pl.col("patient_id").n_unique().over("group") > 1)
        patients = shared["patient_id"].n_unique()
        measured += f"; {shared.height} rows of {patients} patients who share pictures are kept together"
    return result, (DUPLICATES.found(measured, pairs=len(pairs), present=len(inside)), _conflicts(copies, first))


def _linked_patients(copies: pl.DataFrame, first: dict[str, str], patients: pl.Series) -> pl.Series:
    """The group of each row: patients joined through the pictures they share."""
    patient_of = dict(zip(copies["isic_id"], copies["patient_id"], strict=True))
    linked = components((patient_of[member], patient_of[smallest]) for member, smallest in first.items())
    return patients.replace(linked).alias("group")


def _conflicts(copies: pl.DataFrame, first: dict[str, str]) -> Finding:
    if "target" not in copies.columns:
        return CONFLICTS.not_applicable("the table has no labels")
    target_of = dict(zip(copies["isic_id"], copies["target"], strict=True))
    both = sorted({smallest for member, smallest in first.items() if target_of[member] != target_of[smallest]})
    if not both:
        return CONFLICTS.clear(f"all copies of {len(set(first.values()))} pictures carry the same label")
    measured = f"{len(both)} of {len(set(first.values()))} pictures, the first is {both[0]}"
    return CONFLICTS.found(measured, pictures=len(both))
