"""Which of a patient's lesions to look at first, and which patients first."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from cohort.frames import collect
from cv_folds.metrics.inputs import Floats, Ints
from engine.errors import InputError
from submissions.shortlist import Shortlist

PatientsBy = Literal["noisy-or", "max", "expected"]


def rank_lesions(
    scores: pl.DataFrame, *, shortlist: Shortlist | None = None, patients_by: PatientsBy | None = None
) -> pl.DataFrame:
    r"""Order lesions within their patient, and patients by their lesions taken together.

    With $p_j$ the calibrated risks of a patient's lesions, patients are in descending order of

    - "noisy-or": $1 - \prod_j (1 - p_j)$, the chance that at least one is malignant if lesions were independent;
    - "max": $\max_j p_j$, or the highest score if risks are unknown or equal;
    - "expected": $\sum_j p_j$, the expected number of malignant lesions, whether or not they are independent.

    Source of the noisy or: Pearl, Probabilistic Reasoning in Intelligent Systems, 1988, section 4.3.

    Args:
        scores: Columns `isic_id`, `patient_id`, `score` (finite, higher is more suspicious) and, if scores are
            calibrated, `risk` in [0, 1], null where it is withheld; one row per lesion.
        shortlist: Which lesions to flag; by default each patient's first 15, as in the organisers' top-15 retrieval
            sensitivity.
        patients_by: Order of patients; by default "noisy-or" if every lesion has a risk, else "max".

    Returns:
        `patient_rank` (from 1), `patient_id`, `patient_risk` (the number that orders patients; null where a risk is
        missing), `lesions` (how many the patient has), `rank` (1 to `lesions`), `isic_id`, `score`, `risk` (null where
        it is not known), `shortlist`; in this order. Lesions of equal score are in the order of their ids.

    Raises:
        InputError: Patients are to be ordered by risks, but some are missing.
    """
    # Patients with and without risks are put in one order by what both have: scores.
    known = "risk" in scores.columns and not scores["risk"].null_count()
    order: PatientsBy = patients_by or ("noisy-or" if known else "max")
    if order != "max" and not known:
        raise InputError(
            f"patients cannot be ordered by {order} since risks are not known",
            where="--patients-by",
            remedy="use max: a score is a place among scores, not a probability",
        )
    if "risk" not in scores.columns:
        scores = scores.with_columns(risk=pl.lit(None, pl.Float64))
    lesions = ranked_within(scores)
    patients = _patients(lesions, order, known=known)
    return collect(
        lesions.lazy()
        .join(patients.lazy(), on="patient_id", how="left", validate="m:1", maintain_order="left")
        .sort("patient_rank", "rank")
        .with_columns((shortlist or Shortlist.top()).listed.alias("shortlist"))
        .select(
            "patient_rank", "patient_id", "patient_risk", "lesions", "rank", "isic_id", "score", "risk", "shortlist"
        )
    )


def ranked_within(scores: pl.DataFrame) -> pl.DataFrame:
    """Lesions by patient and descending score, ties by id, with `rank` (1 to `lesions`) and `lesions`."""
    by_suspicion = scores.lazy().sort(["patient_id", "score", "isic_id"], descending=[False, True, False])
    return collect(
        by_suspicion.with_columns(
            (pl.int_range(pl.len()).over("patient_id") + 1).cast(pl.Int32).alias("rank"),
            pl.len().over("patient_id").cast(pl.Int32).alias("lesions"),
        )
    )


def _patients(lesions: pl.DataFrame, order: PatientsBy, *, known: bool) -> pl.DataFrame:
    """`patient_id`, `patient_rank` and `patient_risk`; lesions must be sorted by patient and descending score."""
    starts = np.flatnonzero((lesions["rank"] == 1).to_numpy())
    first = lesions[starts].select("patient_id", highest="score")
    # A score replaces a missing risk only in the order.
    values = lesions["risk" if known else "score"].to_numpy()
    amount, key = _amounts(values, starts.astype(np.int64), order)
    risk = pl.Series(amount) if known else pl.lit(None, pl.Float64)
    ordered = first.with_columns(patient_risk=risk, key=pl.Series(key)).sort(
        ["key", "highest", "patient_id"], descending=[True, True, False]
    )
    return ordered.select("patient_id", "patient_risk", patient_rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32))


def _amounts(risk: Floats, starts: Ints, order: PatientsBy) -> tuple[Floats, Floats]:
    """The number to show, and the one to sort by: near 1, only the logarithm still tells patients apart."""
    if order == "noisy-or":
        with np.errstate(divide="ignore"):  # a risk of 1 leaves no chance that nothing is malignant
            doubt = np.add.reduceat(np.log1p(-risk), starts)
        return -np.expm1(doubt), -doubt
    reduce = np.maximum if order == "max" else np.add
    amount: Floats = reduce.reduceat(risk, starts)
    return amount, amount
