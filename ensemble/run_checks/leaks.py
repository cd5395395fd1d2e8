"""Are there leaks: the same patient on both sides, or a column that follows from the diagnosis?"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cohort.columns import NEVER_FEATURES
from cohort.findings import Check, Finding
from cohort.frames import ID, collect

SPLIT_PATIENT = Check("UD201", "patients that lie in two folds", "error")
FORBIDDEN = Check("UD202", "features that no model may see", "error")
WRONG_LESIONS = Check("UD203", "lesions without an out-of-fold score, or with two", "error")
_KEYS = (ID, "patient_id", "target")


def split_patients(folds: pl.DataFrame) -> Finding:
    """Whether all lesions of each patient are held out together.

    Args:
        folds: isic_id, patient_id, target and a fold column for each repeat.
    """
    columns = [name for name in folds.columns if name not in _KEYS]
    counts = collect(folds.lazy().group_by("patient_id").agg(pl.col(columns).n_unique()).sort("patient_id"))
    split = counts.filter(pl.max_horizontal(columns) > 1)["patient_id"].to_list()
    if split:
        return SPLIT_PATIENT.found(
            f"{len(split)} of {counts.height} patients, such as {split[0]}; every figure of the run flatters",
            patients=len(split),
            examples=split[:5],
        )
    return SPLIT_PATIENT.clear(f"{counts.height} patients, {folds[columns[0]].n_unique()} folds", patients=0)


def forbidden_features(names: Sequence[str]) -> Finding:
    """Whether a model sees a label, an id, or a column that is known only after the diagnosis."""
    if bad := sorted(set(names) & NEVER_FEATURES):
        return FORBIDDEN.found(", ".join(bad), names=bad)
    return FORBIDDEN.clear(f"none among {len(names)} features", names=[])


def scored_lesions(folds: pl.DataFrame, oof: pl.DataFrame) -> Finding:
    """Whether each lesion of the folds has exactly one row of out-of-fold scores."""
    missing = folds.join(oof, on=ID, how="anti").height
    unknown = oof.join(folds, on=ID, how="anti").height
    repeated = oof.height - oof[ID].n_unique()
    measured = f"{missing} missing, {repeated} repeated, {unknown} unknown among {folds.height} lesions"
    ask = WRONG_LESIONS.found if missing or repeated or unknown else WRONG_LESIONS.clear
    return ask(measured, missing=missing, repeated=repeated, unknown=unknown)
