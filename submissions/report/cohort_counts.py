"""Who is in the data, and under which licences: counted from the table."""

from __future__ import annotations

from typing import Any

import polars as pl

from cohort.columns import SLICE3D


def lesion_counts(lesions: pl.DataFrame) -> dict[str, int]:
    """`lesions`, `malignant`, `patients` and `malignant_patients` of rows with target and patient_id."""
    malignant = lesions.filter(pl.col("target") == 1)
    return {
        "lesions": lesions.height,
        "malignant": malignant.height,
        "patients": lesions["patient_id"].n_unique(),
        "malignant_patients": malignant["patient_id"].n_unique(),
    }


def cohort_counts(lesions: pl.DataFrame) -> dict[str, Any]:
    """Counts by licence and hospital, ages, and lesions per patient.

    Args:
        lesions: isic_id, patient_id, target and the table's columns.

    Returns:
        `licences` and `hospitals`: lists of name, lesions, patients (empty if the table has no such column), the most
        lesions first; `age` and `lesions_per_patient`: {low, median, high}, or None; `missing`: by column, the
        share of lesions without a value, if any.
    """
    a_patient = lesions.group_by("patient_id", maintain_order=True).len()["len"]
    return {
        "licences": _counted(lesions, "copyright_license"),
        "hospitals": _counted(lesions, "attribution"),
        "age": _spread(lesions["age_approx"]) if "age_approx" in lesions.columns else None,
        "lesions_per_patient": _spread(a_patient),
        "missing": _missing(lesions),
    }


def _missing(lesions: pl.DataFrame) -> dict[str, float]:
    known = [column.name for column in SLICE3D if column.role in {"numeric", "category"}]
    nulls = lesions.select(pl.col(name).null_count() for name in known if name in lesions.columns)
    return (
        {name: count / lesions.height for name, count in nulls.row(0, named=True).items() if count}
        if nulls.width
        else {}
    )


def _counted(lesions: pl.DataFrame, column: str) -> list[dict[str, Any]]:
    if column not in lesions.columns:
        return []
    named = lesions.select(pl.col(column).fill_null("not stated").alias("name"), "patient_id")
    counted = named.group_by("name", maintain_order=True).agg(
        pl.len().alias("lesions"), pl.col("patient_id").n_unique().alias("patients")
    )
    return counted.sort(["lesions", "name"], descending=[True, False]).to_dicts()


def _spread(values: pl.Series) -> dict[str, float] | None:
    known = values.drop_nulls().cast(pl.Float64)
    if not len(known):
        return None
    return {name: float(known.quantile(share) or 0.0) for name, share in (("low", 0), ("median", 0.5), ("high", 1))}
