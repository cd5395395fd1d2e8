"""How well models rank the lesions of a hospital they never saw, next to the same lesions' patient-fold figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from cv_folds.bootstrap import POOLED, Replicates, replicate
from cv_folds.formats import NOT_DISTINGUISHABLE
from cv_folds.metrics import AUC, PAUC, metric_named
from ensemble.hospitals import Hospitals

Scores = npt.NDArray[np.float64]

FEWEST_MALIGNANT = 10
"""A hospital with fewer malignant (or benign) lesions gets no figures."""
TOO_FEW = "too few to tell"
NAMES = (PAUC.name, AUC.name)
_OUT, _IN, _MEAN = "hospital left out", "patient folds", "mean"


def hospital_figures(
    lesions: pl.DataFrame,
    hospitals: Hospitals,
    left_out: Scores,
    patient_folds: Scores,
    *,
    replicates: int,
    seed: int,
    fewest: int = FEWEST_MALIGNANT,
) -> dict[str, Any]:
    """Measure both scores of the same lesions, with patient-bootstrap intervals and paired differences.

    Args:
        lesions: isic_id, patient_id and target, in the order of `hospitals`.
        hospitals: The hospitals, and who was held out with each.
        left_out: Scores by models that never saw the hospital; shape (lesions,).
        patient_folds: Scores by models that never saw the patient; shape (lesions,).
        replicates: Bootstrap replicates, at least 100.
        seed: Seed of the bootstrap.
        fewest: Malignant and benign lesions that a hospital needs for its own figures.

    Returns:
        Ready for JSON. `hospitals`: for each one its counts, what its models learned from (`trained_on`), and
        `left_out`, `patient_folds` and `difference` (the first minus the second) by metric, None if `verdict` is "too
        few to tell". `pooled` ranks the lesions of all hospitals together; `mean` averages over the hospitals that
        have figures, None if none has.
    """
    kept = hospitals.measured
    frame = lesions.filter(pl.Series(kept)).with_columns(fold=pl.Series(hospitals.home[kept]))
    counts = [_counts(frame, lesions, hospitals, fold) for fold in range(len(hospitals.folds.names))]
    able = [row["hospital"] for row in counts if min(row["malignant"], row["lesions"] - row["malignant"]) >= fewest]
    drawn = replicate(
        frame["target"].to_numpy(),
        {_OUT: left_out[kept], _IN: patient_folds[kept]},
        metrics=[metric_named(name) for name in NAMES],
        patient=frame["patient_id"],
        views={row["hospital"]: (frame["fold"] == row["fold"]).to_numpy() for row in counts if row["hospital"] in able},
        means={_MEAN: able} if able else None,
        replicates=replicates,
        seed=seed,
    )
    return {
        "hospitals": [
            {**row, **(_row(drawn, row["hospital"]) if row["hospital"] in able else _nothing())} for row in counts
        ],
        "pooled": _row(drawn, POOLED),
        "mean": _row(drawn, _MEAN) if able else None,
        "fewest_malignant": fewest,
        "replicates": replicates,
        "seed": seed,
    }


def _counts(measured: pl.DataFrame, lesions: pl.DataFrame, hospitals: Hospitals, fold: int) -> dict[str, Any]:
    mine = measured.filter(pl.col("fold") == fold)
    carriers = mine.filter(pl.col("target") == 1)
    learned_from = lesions.filter(pl.Series(hospitals.trained_on(fold)))
    return {
        "hospital": hospitals.folds.names[fold],
        "fold": fold,
        "lesions": mine.height,
        "patients": mine["patient_id"].n_unique(),
        "malignant": carriers.height,
        "malignant_patients": carriers["patient_id"].n_unique(),
        "trained_on": {"lesions": learned_from.height, "malignant": int(learned_from["target"].sum())},
    }


def _row(drawn: Replicates, view: str) -> dict[str, Any]:
    difference = {name: drawn.difference(view, name, _OUT, _IN) for name in NAMES}
    told = difference["pauc"].distinguishable
    worse = "worse" if difference["pauc"].estimate < 0 else "better"
    return {
        "verdict": f"{worse} left out" if told else NOT_DISTINGUISHABLE,
        "left_out": {name: drawn.interval(view, name, _OUT).as_dict() for name in NAMES},
        "patient_folds": {name: drawn.interval(view, name, _IN).as_dict() for name in NAMES},
        "difference": {name: found.as_dict() for name, found in difference.items()},
    }


def _nothing() -> dict[str, Any]:
    return {"verdict": TOO_FEW, "left_out": None, "patient_folds": None, "difference": None}
