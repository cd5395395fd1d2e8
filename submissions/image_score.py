"""The one image score that is shown if there are several image models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.frames import ID
from ensemble.blend import Blend
from ensemble.fusion import blended_out_of_fold
from submissions.image_models import SCORE

Scores = npt.NDArray[np.float64]


def blended_images(
    scores: Mapping[str, Scores], target: npt.NDArray[np.int8], fold: npt.NDArray[np.int8]
) -> tuple[Scores, Blend]:
    """Blend the scores of several image models by non-negative logistic weights.

    Args:
        scores: Out-of-fold scores of each, of shape (lesions,); NaN in all of them where there is no crop.
        target: 0 benign, 1 malignant, shape (lesions,).
        fold: Patient fold of each lesion, shape (lesions,).

    Returns:
        The blended score of each fold by weights fitted on the other folds, NaN without a crop; and the blend for new
        lesions, fitted on all folds.
    """
    known = np.all([np.isfinite(values) for values in scores.values()], axis=0)
    there = {name: values[known] for name, values in scores.items()}
    blended = np.full(len(target), np.nan)
    blended[known] = blended_out_of_fold(there, target[known], fold[known], method="stack")
    return blended, Blend.fit(there, target[known], method="stack")


def shown_score(table: pl.DataFrame, blend: Blend | None) -> pl.DataFrame:
    """`isic_id, score` from a table of image scores: the only score, or the blend of those present; null if missing."""
    if blend is None:
        return table.select(ID, *(name for name in (SCORE,) if name in table.columns))
    there = {name: weight for name, weight in blend.weights.items() if name in table.columns}
    scores = {name: table[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in there}
    known = np.all([np.isfinite(values) for values in scores.values()], axis=0)
    values = np.full(table.height, np.nan)
    values[known] = replace(blend, weights=there)({name: each[known] for name, each in scores.items()})
    return table.select(ID, pl.Series(SCORE, values).fill_nan(None))
