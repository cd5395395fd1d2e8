"""Parts `lof` and `mahalanobis` of the group `neighbours`: a lesion against the patient's others in all numbers.

The 15 numbers of `DISTANCE_NUMBERS` are standardised with the cohort's mean and its pooled standard deviation within
patients; a missing number counts as the cohort's mean.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from features.arithmetic.nearest import centre, local_outlier_factor, nearest
from features.arithmetic.segments import Floats
from features.patients.block import Block
from features.patients.state import FeatureState

DISTANCE_NUMBERS = (
    "clin_size_long_diam_mm",
    "tbp_lv_minorAxisMM",
    "tbp_lv_area_perim_ratio",
    "tbp_lv_symm_2axis",
    "tbp_lv_eccentricity",
    "tbp_lv_A",
    "tbp_lv_B",
    "tbp_lv_L",
    "tbp_lv_deltaA",
    "tbp_lv_deltaB",
    "tbp_lv_deltaL",
    "tbp_lv_deltaLBnorm",
    "tbp_lv_color_std_mean",
    "tbp_lv_radial_color_std_max",
    "tbp_lv_stdL",
)
"""What makes lesions alike: size, border, colour and contrast, without numbers determined by others."""
NEAREST = 30
"""Largest k of the local outlier factor."""
Table = dict[str, Floats]
"""Columns (n,) by name."""


def standardised(block: Block, state: FeatureState) -> Floats:
    """`DISTANCE_NUMBERS` (n, 15) as deviations from the cohort's mean in within-patient sds; missing is 0."""
    columns = []
    for name in DISTANCE_NUMBERS:
        scale = state.scales.get(name)
        centre, sd = (scale.mean, scale.within) if scale is not None and scale.within > 0 else (0.0, 1.0)
        columns.append(np.nan_to_num((block.number(name) - centre) / sd))
    return np.stack(columns, axis=1)


def patient_slices(block: Block) -> Iterator[slice]:
    """The rows of each patient with two or more lesions."""
    for start, size in zip(block.patients.starts.tolist(), block.patients.sizes.tolist(), strict=True):
        if size > 1:
            yield slice(start, start + size)


def local_outliers(block: Block, state: FeatureState) -> Table:
    """Local outlier factor, and distances to the most similar lesions of the same patient."""
    points = standardised(block, state)
    factor, closest, mean = np.ones(block.size), np.zeros(block.size), np.zeros(block.size)
    for rows in patient_slices(block):
        size = rows.stop - rows.start
        found = nearest(points[rows], min(size - 1, NEAREST))
        first = np.sort(found.distance, axis=1)[:, :5]
        closest[rows] = first[:, 0]
        mean[rows] = first.mean(axis=1)
        if size > 2:
            factor[rows] = local_outlier_factor(found)
    return {"neighbours_lof": factor, "neighbours_nearest": closest, "neighbours_mean_5": mean}


def mahalanobis(block: Block, state: FeatureState) -> Table:
    """Mahalanobis distance from the patient's mean, with a covariance shrunk to the cohort's within patients.

    With S the patient's matrix of squared deviations, Σ the cohort's covariance and 16 its weight,
    q = d' (S + 16 Σ)⁻¹ d gives the distance sqrt(q (n - 1 + 16)). Leaving the lesion out of the mean and S is a
    rank-one change of S (Sherman & Morrison 1950): n / (n - 1) × sqrt(q / (1 - q n / (n - 1)) × (n - 2 + 16)).
    """
    points = standardised(block, state)
    width = len(DISTANCE_NUMBERS)
    prior = width + 1.0
    cohort = prior * (np.array(state.covariance) if state.covariance else np.eye(width))
    plain, without = np.zeros(block.size), np.zeros(block.size)
    for rows in patient_slices(block):
        size = rows.stop - rows.start
        deviation = centre(points[rows])
        solved = np.linalg.solve(deviation.T @ deviation + cohort, deviation.T)
        share = (deviation.T * solved).sum(axis=0)
        plain[rows] = np.sqrt(share * (size - 1 + prior))
        lever = size / (size - 1)
        rest = np.maximum(1.0 - lever * share, 1e-9)
        without[rows] = lever * np.sqrt(share / rest * (size - 2 + prior))
    return {"neighbours_mahalanobis": plain, "neighbours_mahalanobis_loo": without}
