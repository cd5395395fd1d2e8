"""Does the ranking serve everyone? Each group's figures, with intervals, or plainly: too few to tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from cv_folds.bootstrap import POOLED, Replicates, replicate
from cv_folds.bootstrap.shares import shares
from cv_folds.metrics import AUC, METRICS, PAUC
from cv_folds.metrics.inputs import Flags, patient_codes
from submissions.report.cohort_counts import lesion_counts
from submissions.report.patient_groups import DIVISIONS, Division, divide, ordered
from submissions.report.roc import MIN_SENSITIVITY, threshold_for

#: With fewer malignant lesions, or fewer patients who have one, an interval says nothing.
FEW_LESIONS = 10
FEW_PATIENTS = 5
_RANKED = (PAUC.name, AUC.name)
_AT_THRESHOLD = ("sensitivity", "false_alarms")


def fairness(lesions: pl.DataFrame, *, replicates: int, seed: int) -> dict[str, Any]:
    """Measure the blend in every group of every division.

    Sensitivity and false alarms are taken at one threshold for all: the highest that finds 80 % of all malignant
    lesions. It is held fixed while patients are drawn. pAUC and AUC rank a group's lesions among themselves.

    Args:
        lesions: target, blend, patient_id and the columns that divisions need; one row per lesion.
        replicates: Bootstrap replicates.
        seed: Seed of the draws.

    Returns:
        `threshold`, `min_sensitivity`, `few_lesions`, `few_patients`, `overall`, and `divisions`: each with its
        `groups` (counts, `enough`, pauc, auc, sensitivity, false_alarms, and `worse`: in which of these the whole
        interval lies on the worse side of the overall estimate), `absent` (groups without a lesion), and `missing` (the
        columns the table lacks).
    """
    divided = {division.name: divide(lesions, division) for division in DIVISIONS}
    members = {
        (division.name, group): (groups == group).to_numpy()
        for division in DIVISIONS
        if (groups := divided[division.name]) is not None
        for group in ordered(groups, division)
    }
    counts = {key: lesion_counts(lesions.filter(flags)) for key, flags in members.items()}
    enough = {
        key: each["malignant"] >= FEW_LESIONS and each["malignant_patients"] >= FEW_PATIENTS
        for key, each in counts.items()
    }
    threshold = threshold_for(lesions["target"], lesions["blend"])
    measured = _measure(lesions, {key: members[key] for key in members if enough[key]}, threshold, replicates, seed)
    overall = measured[POOLED]

    def as_row(division: Division) -> dict[str, Any]:
        keys = [key for key in members if key[0] == division.name]
        groups = [
            {"name": key[1], **counts[key], "enough": enough[key]}
            | ({**measured[key], "worse": _worse(measured[key], overall)} if enough[key] else {})
            for key in keys
        ]
        missing = [] if keys else [name for name in division.needs if name not in lesions.columns]
        absent = [name for name in division.order if keys and (division.name, name) not in members]
        heading = {"name": division.name, "label": division.label, "note": division.note}
        return heading | {"groups": groups, "absent": absent, "missing": missing}

    return {
        "threshold": threshold,
        "min_sensitivity": MIN_SENSITIVITY,
        "few_lesions": FEW_LESIONS,
        "few_patients": FEW_PATIENTS,
        "overall": overall,
        "divisions": [as_row(division) for division in DIVISIONS],
    }


def _measure(
    lesions: pl.DataFrame, members: dict[tuple[str, str], Flags], threshold: float, replicates: int, seed: int
) -> dict[Any, dict[str, Any]]:
    """The four figures, by group and pooled."""
    target, score = lesions["target"].to_numpy(), lesions["blend"].to_numpy()
    views = {"\t".join(key): flags for key, flags in members.items()}
    drawn = replicate(
        target,
        {"blend": score},
        metrics=[METRICS[name] for name in _RANKED],
        patient=lesions["patient_id"],
        views=views,
        replicates=replicates,
        seed=seed,
    )
    everyone = {POOLED: np.ones(target.size, dtype=np.bool_), **views}
    flagged, malignant = score >= threshold, target == 1
    parts = {f"{name}\tsensitivity": (flagged, flags & malignant) for name, flags in everyone.items()}
    parts |= {f"{name}\tfalse_alarms": (flagged, flags & ~malignant) for name, flags in everyone.items()}
    code = patient_codes(lesions["patient_id"], target.size)
    taken = shares(parts, code, replicates=replicates, seed=seed)
    keys: dict[str, Any] = {POOLED: POOLED, **dict(zip(views, members, strict=True))}
    return {key: _row(drawn, taken, name) for name, key in keys.items()}


def _row(drawn: Replicates, taken: dict[str, dict[str, Any]], view: str) -> dict[str, Any]:
    ranked = {metric: drawn.interval(view, metric, "blend").as_dict() for metric in _RANKED}
    return ranked | {name: taken[f"{view}\t{name}"] for name in _AT_THRESHOLD}


def _worse(measured: dict[str, Any], overall: dict[str, Any]) -> list[str]:
    """The figures whose whole interval lies on the worse side of everybody's estimate."""
    lower = [name for name in (*_RANKED, "sensitivity") if _below(measured[name]["high"], overall[name]["estimate"])]
    more = _below(overall["false_alarms"]["estimate"], measured["false_alarms"]["low"])
    return lower + (["false_alarms"] if more else [])


def _below(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and one < other
