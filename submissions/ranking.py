"""Which of a patient's lesions to look at first, and which patients first."""

from __future__ import annotations

import polars as pl

from cohort.frames import collect


def rank_lesions(scores: pl.DataFrame, *, k: int = 15) -> pl.DataFrame:
    """Order lesions within their patient, and patients by their most suspicious lesion.

    Args:
        scores: Columns `isic_id`, `patient_id` and `score` (higher is more suspicious), a row a lesion.
        k: Length of a patient's short list; 15 is what the organisers' top-15 retrieval sensitivity looks at.

    Returns:
        `patient_rank` (1 is the patient with the highest single score), `patient_id`, `lesions` (how many the patient
        has), `rank` (1 to `lesions`), `isic_id`, `score`, `shortlist` (rank at most k); in this order. Equal scores
        stand in the order of their ids.
    """
    by_suspicion = scores.lazy().sort(["patient_id", "score", "isic_id"], descending=[False, True, False])
    ranked = by_suspicion.with_columns(
        (pl.int_range(pl.len()).over("patient_id") + 1).cast(pl.Int32).alias("rank"),
        pl.len().over("patient_id").cast(pl.Int32).alias("lesions"),
        pl.col("score").max().over("patient_id").alias("highest"),
    )
    order = ranked.sort(["highest", "patient_id", "rank"], descending=[True, False, False]).with_columns(
        (pl.col("patient_id").rle_id() + 1).cast(pl.Int32).alias("patient_rank"),
        (pl.col("rank") <= k).alias("shortlist"),
    )
    return collect(order.select("patient_rank", "patient_id", "lesions", "rank", "isic_id", "score", "shortlist"))
