"""The ugly ducklings: the most suspicious lesion of a few patients, among that patient's others."""

from __future__ import annotations

from typing import Any

import polars as pl

from features import FeatureState
from submissions.reasons import reasons
from submissions.report.body_map import body_dots
from submissions.report.scatter_strips import DRAWN, strip

PATIENTS = 6
#: A patient needs this many lesions for one of them to stand out.
FEWEST_LESIONS = 10
OTHERS = 14
DRIVERS = 3


def gallery(
    lesions: pl.DataFrame, table: pl.DataFrame, state: FeatureState, drivers: pl.DataFrame | None = None
) -> list[dict[str, Any]]:
    """Choose lesions by score alone, whatever they proved to be.

    Args:
        lesions: As `mistakes.placed` gives them, with whatever measurements the table has.
        table: The canonical frame that `lesions` come from.
        state: The run's constants, by which a patient's spread is judged.
        drivers: What raised a lesion's score: isic_id, place, feature, value, patient_median; None if not known.

    Returns:
        For each of the patients whose most suspicious lesion scores highest: that lesion (isic_id, target,
        blend, place, of, `risk` if there is one), `reasons` in plain words, `drivers`, `others` (isic_ids of the same
        patient's lesions, evenly through their ranking) and `strip` (see `scatter_strips.strip`).
    """
    order = lesions.filter(pl.col("of") >= FEWEST_LESIONS).sort(["blend", "isic_id"], descending=[True, False])
    highest = order.unique("patient_id", keep="first", maintain_order=True).head(PATIENTS)
    chosen = table.filter(pl.col("patient_id").is_in(highest["patient_id"].implode()))
    images = lesions.select("isic_id", score="image") if "image" in lesions.columns else None
    compared = {row["isic_id"]: row for row in reasons(chosen, state=state, images=images).iter_rows(named=True)}
    return [
        _entry(row, lesions.filter(pl.col("patient_id") == row["patient_id"]), compared[row["isic_id"]])
        | {"drivers": _drivers(drivers, row["isic_id"])}
        for row in highest.iter_rows(named=True)
    ]


def _entry(flagged: dict[str, Any], patient: pl.DataFrame, reason: dict[str, Any]) -> dict[str, Any]:
    name = flagged["isic_id"]
    others = patient.filter(pl.col("isic_id") != name).sort(["blend", "isic_id"], descending=[True, False])
    step = max(1, others.height // OTHERS)
    keys = ("isic_id", "target", "blend", "risk", "place", "of")
    return {key: flagged[key] for key in keys if key in flagged} | {
        "reasons": reason["reason"].split("; "),
        "outlier": reason["outlier"],
        "others": others["isic_id"].gather_every(step).head(OTHERS).to_list(),
        "strip": strip(patient, name, reason["unusual_in"]),
        "body": _body(patient, name),
    }


def _body(patient: pl.DataFrame, flagged: str) -> dict[str, Any]:
    """Where the patient's lesions are, listing only the flagged one; of many lesions, every n-th by score."""
    ranked = patient.sort(pl.col("isic_id") != flagged, -pl.col("blend"), "isic_id").drop("rank", strict=False)
    ranked = ranked.with_row_index("rank", 1)
    others = ranked[1:].gather_every(max(1, -(-ranked.height // DRAWN)))
    return body_dots(pl.concat([ranked[:1], others]).with_columns(shortlist=pl.col("rank") == 1))


def _drivers(drivers: pl.DataFrame | None, isic_id: str) -> list[dict[str, Any]]:
    if drivers is None:
        return []
    found = drivers.filter((pl.col("isic_id") == isic_id) & (pl.col("place") <= DRIVERS)).sort("place")
    return found.select("feature", pl.col("value", "patient_median").cast(pl.String)).to_dicts()
