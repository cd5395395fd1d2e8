"""What longer lists gain: top-k retrieval by k, and lesions triaged by sensitivity, with intervals."""

from __future__ import annotations

from typing import Any, get_args

import polars as pl

from cv_folds.bootstrap import POOLED, replicate
from cv_folds.metrics import Metric, nnt_at, retrieval_at
from cv_folds.scoring import FEW_PATIENTS
from submissions.conformal import Loss, Promise
from submissions.ranking import ranked_within
from submissions.report.cohort_counts import lesion_counts
from submissions.shortlist import By, Shortlist

LENGTHS = tuple(range(1, 51))
SENSITIVITIES = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
PROMISED = (0.8, 0.9, 0.95)
CONFIDENCE = 0.9
_LEVEL, _SEED = 0.95, 0


def curves(lesions: pl.DataFrame, *, replicates: int = 2_000) -> dict[str, Any]:
    """Measure lists of every length, and thresholds of every sensitivity, with patient-bootstrap intervals.

    The definitions are those of `cv_folds.metrics.retrieval_at` and `nnt_at`.

    Args:
        lesions: `isic_id`, `patient_id`, `target` (0 or 1) and `score`, one row per lesion.
        replicates: Bootstrap replicates, at least 100; all points of both curves share the draws.

    Returns:
        Ready for JSON. `setopk`: k, estimate, low, high; `nnt`: sensitivity, estimate, low, high (None where there
        is no interval); `shortlists` from `promised_lists`; `counts`: lesions, malignant, patients, malignant_patients;
        `level` (nominal coverage of the intervals, point by point), `replicates`, `seed`, and `notes` for a reader.

    Raises:
        InputError: A class is missing, a score is not finite, or there are too few replicates.
    """
    retrieval = [retrieval_at(k) for k in LENGTHS]
    triage = [nnt_at(sensitivity) for sensitivity in SENSITIVITIES]
    metrics: list[Metric] = [*retrieval, *triage]
    target, score = lesions["target"].to_numpy(), lesions["score"].to_numpy()
    drawn = replicate(
        target, {"": score}, metrics=metrics, patient=lesions["patient_id"], replicates=replicates, seed=_SEED
    )

    def point(metric: Metric) -> dict[str, float | None]:
        whole = drawn.interval(POOLED, metric.name, "", level=_LEVEL).as_dict()
        return {key: whole[key] for key in ("estimate", "low", "high")}

    counts = lesion_counts(lesions)
    few = counts["malignant_patients"] < FEW_PATIENTS
    note = f"only {counts['malignant_patients']} patients have a malignant lesion: so few make intervals too narrow"
    return {
        "setopk": [{"k": metric.k} | point(metric) for metric in retrieval],
        "nnt": [{"sensitivity": value} | point(one) for value, one in zip(SENSITIVITIES, triage, strict=True)],
        "shortlists": promised_lists(lesions),
        "counts": counts,
        "level": _LEVEL,
        "replicates": replicates,
        "seed": _SEED,
        "notes": [note] if few else [],
    }


def promised_lists(lesions: pl.DataFrame) -> list[dict[str, Any]]:
    """The shortest lists that keep the usual promises, by rank and by score, and their lengths.

    Args:
        lesions: As in `curves`.

    Returns:
        One row for each promise and kind of list, ready for JSON: the promise (sensitivity, confidence, loss,
        guarantee, patients_needed), `by`, `patients` it is based on, `possible`, and (None if not possible)
        `limit`, `mean_loss` and `mean_length`, the mean number of listed lesions over all patients.
    """
    ranked = ranked_within(lesions)
    promises = [
        Promise(sensitivity, confidence, loss)
        for loss in get_args(Loss)
        for confidence in (None, CONFIDENCE)
        for sensitivity in PROMISED
    ]
    return [_promised(ranked, promise, by) for promise in promises for by in get_args(By)]


def _promised(ranked: pl.DataFrame, promise: Promise, by: By) -> dict[str, Any]:
    patients = ranked.filter(pl.col("target") == 1)["patient_id"].n_unique()
    row = promise.as_dict() | {"by": by, "patients": patients}
    if patients < promise.patients_needed:
        return row | {"possible": False, "limit": None, "mean_loss": None, "mean_length": None}
    shortlist = Shortlist.promised(ranked, promise, by=by)
    listed = ranked.select(shortlist.listed.sum()).item()
    found = {"limit": shortlist.limit, "mean_loss": shortlist.found.mean_loss if shortlist.found else None}
    return row | {"possible": True} | found | {"mean_length": listed / ranked["patient_id"].n_unique()}
