"""Lesion by lesion: which features raise it most beside the same patient's others, with its value and the usual one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from ensemble.explanation.blended import Explained
from ensemble.explanation.chain import Floats
from ensemble.explanation.selection import Flags, Ints
from ensemble.matrix import FeatureSpace, Matrix

SCHEMA: dict[str, type[pl.DataType]] = {
    "isic_id": pl.String,
    "patient_id": pl.String,
    "score": pl.Float64,
    "place": pl.Int32,
    "feature": pl.String,
    "group": pl.String,
    "against": pl.String,
    "contribution": pl.Float64,
    "cohort_contribution": pl.Float64,
    "value": pl.String,
    "patient_median": pl.String,
}
"""Columns of lesions.parquet."""


def details(
    explained: Explained,
    matrix: Matrix,
    lesions: pl.DataFrame,
    *,
    patient: Ints,
    reference: Flags,
    shown: Flags,
    group_of: Mapping[str, str],
    features: int,
) -> pl.DataFrame:
    """The strongest raising features of each shown lesion.

    Args:
        explained: Contributions of a block of whole patients.
        matrix: Features of the block.
        lesions: `isic_id` and `patient_id` of the block.
        patient: Patient of each row, ascending.
        reference: Rows that a patient's usual value is taken from.
        shown: Rows to describe.
        group_of: The group of each feature.
        features: Features a lesion at most; fewer where fewer raise it.

    Returns:
        Columns as `SCHEMA`, by lesion and place (1 the strongest). `contribution` is against the patient's usual where
        `against` is "patient", and against the base of all lesions ("cohort") where the patient has one lesion only;
        `cohort_contribution` is always against that base.
    """
    rows = np.flatnonzero(shown)
    blended = explained.blended[rows]
    alone = np.bincount(patient)[patient[rows]] == 1
    strength = np.where(alone[:, None], blended, explained.relative[rows])
    order = np.argsort(-strength, axis=1, kind="stable")[:, :features]
    picked = np.take_along_axis(strength, order, axis=1)
    which, place = np.nonzero(picked > 0)
    row, column = rows[which], order[which, place]
    names = np.array(explained.names, dtype=object)[column].tolist()
    usual = _Usual(matrix, patient, reference)
    return pl.DataFrame(
        {
            "isic_id": lesions["isic_id"].gather(row),
            "patient_id": lesions["patient_id"].gather(row),
            "score": explained.score[row],
            "place": place + 1,
            "feature": names,
            "group": [group_of[name] for name in names],
            "against": np.where(alone[which], "cohort", "patient").tolist(),
            "contribution": picked[which, place],
            "cohort_contribution": blended[which, column],
            "value": [usual.value(at, name) for at, name in zip(row.tolist(), names, strict=True)],
            "patient_median": [usual.of_patient(at, name) for at, name in zip(row.tolist(), names, strict=True)],
        },
        schema=SCHEMA,
    )


class _Usual:
    """Values in words: numbers to four digits, categories by the names of their levels, None for missing."""

    def __init__(self, matrix: Matrix, patient: Ints, reference: Flags) -> None:
        self._matrix = matrix
        self._patient = patient
        self._reference = reference
        self._position = {name: at for at, name in enumerate(matrix.space.names)}
        self._known: dict[tuple[int, str], str | None] = {}

    def value(self, row: int, name: str) -> str | None:
        return in_words(self._matrix.space, name, float(self._matrix.values[row, self._position[name]]))

    def of_patient(self, row: int, name: str) -> str | None:
        """The median over the patient's reference rows, of a category the most frequent level."""
        key = (int(self._patient[row]), name)
        if key not in self._known:
            first, last = np.searchsorted(self._patient, [key[0], key[0] + 1])
            column = self._matrix.values[first:last, self._position[name]][self._reference[first:last]]
            self._known[key] = in_words(
                self._matrix.space, name, _middle(column.astype(np.float64), category=name in self._matrix.space.levels)
            )
        return self._known[key]


def _middle(values: Floats, *, category: bool) -> float:
    present = values[~np.isnan(values)]
    if not present.size:
        return np.nan
    if not category:
        return float(np.median(present))
    levels, counts = np.unique(present, return_counts=True)
    return float(levels[np.argmax(counts)])


def in_words(space: FeatureSpace, name: str, value: float) -> str | None:
    """A value as a reader knows it; None where it is missing or a level that training did not have."""
    if np.isnan(value):
        return None
    return space.levels[name][int(value)] if name in space.levels else f"{value:.4g}"


def sorted_by_suspicion(found: pl.DataFrame) -> pl.DataFrame:
    """Patients by their highest score, of each patient the lesions by score, of each lesion the features by place."""
    highest = pl.col("score").max().over("patient_id")
    return found.sort(highest, "patient_id", "score", "isic_id", "place", descending=[True, False, True, False, False])
