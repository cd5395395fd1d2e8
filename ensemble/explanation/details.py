"""Lesion by lesion: the features that raise it most beyond the patient's usual, with its value and the usual one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from ensemble.explanation.contributions import Explained
from ensemble.explanation.lesions import ChosenLesions
from ensemble.explanation.selection import Floats
from ensemble.matrix import FeatureSpace

SCHEMA: dict[str, type[pl.DataType]] = {
    "isic_id": pl.String,
    "patient_id": pl.String,
    "score": pl.Float64,
    "log_odds": pl.Float64,
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
    explained: Explained, lesions: ChosenLesions, group_of: Mapping[str, str], *, features: int
) -> pl.DataFrame:
    """The features that raise each shown lesion the most.

    Args:
        explained: Contributions of these lesions.
        lesions: A block of whole patients.
        group_of: The group of each feature.
        features: Most features per lesion; fewer if fewer raise it.

    Returns:
        Columns as `SCHEMA`, by lesion and place (1 the strongest). `contribution` is measured from the patient's usual
        if `against` is "patient", and from the base of all lesions ("cohort") if the patient has only one lesion;
        `cohort_contribution` is always measured from that base.
    """
    rows = np.flatnonzero(lesions.selection.shown)
    alone = np.concatenate([np.full(span.stop - span.start, span.stop - span.start == 1) for span in lesions.patients])
    alone = alone[rows]
    relative = explained.blended - lesions.patient_medians(explained.blended)
    strength = np.where(alone[:, None], explained.blended[rows], relative[rows])
    order = np.argsort(-strength, axis=1, kind="stable")[:, :features]
    picked = np.take_along_axis(strength, order, axis=1)
    which, place = np.nonzero(picked > 0)
    row, column = rows[which], order[which, place]
    names = np.array(explained.names, dtype=object)[column].tolist()
    values = _Values(lesions)
    return pl.DataFrame(
        {
            "isic_id": lesions.frame["isic_id"].gather(row),
            "patient_id": lesions.frame["patient_id"].gather(row),
            "score": lesions.score[row],
            "log_odds": explained.log_odds[row],
            "place": place + 1,
            "feature": names,
            "group": [group_of[name] for name in names],
            "against": np.where(alone[which], "cohort", "patient").tolist(),
            "contribution": picked[which, place],
            "cohort_contribution": explained.blended[row, column],
            "value": [values.of_lesion(at, name) for at, name in zip(row.tolist(), names, strict=True)],
            "patient_median": [values.of_patient(at, name) for at, name in zip(row.tolist(), names, strict=True)],
        },
        schema=SCHEMA,
    )


class _Values:
    """Values in words: numbers to four digits, categories by the names of their levels, None for missing."""

    def __init__(self, lesions: ChosenLesions) -> None:
        self._matrix, self._reference = lesions.matrix, lesions.reference
        self._position = {name: at for at, name in enumerate(self._matrix.space.names)}
        self._patient = [span for span in lesions.patients for _ in range(span.start, span.stop)]
        self._known: dict[tuple[int, str], str | None] = {}

    def of_lesion(self, row: int, name: str) -> str | None:
        return in_words(self._matrix.space, name, float(self._matrix.values[row, self._position[name]]))

    def of_patient(self, row: int, name: str) -> str | None:
        """The median over the patient's reference rows, or the most frequent level for a category."""
        rows = self._patient[row]
        key = (rows.start, name)
        if key not in self._known:
            column = self._matrix.values[rows, self._position[name]][self._reference[rows]].astype(np.float64)
            middle = _middle(column, category=name in self._matrix.space.levels)
            self._known[key] = in_words(self._matrix.space, name, middle)
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
    """A value as a reader knows it; None if it is missing or a level absent from training."""
    if np.isnan(value):
        return None
    return space.levels[name][int(value)] if name in space.levels else f"{value:.4g}"


def sorted_by_suspicion(found: pl.DataFrame) -> pl.DataFrame:
    """Sort patients by their highest score, each patient's lesions by score, and each lesion's features by place."""
    highest = pl.col("score").max().over("patient_id")
    return found.sort(highest, "patient_id", "score", "isic_id", "place", descending=[True, False, True, False, False])
