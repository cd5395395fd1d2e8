"""The ROC curve, exact and small: it bends only where a malignant lesion scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cv_folds.metrics.counts import RankCounts, rank_counts
from submissions.report.artifacts import Artifacts

#: The competition's region lies above this sensitivity.
MIN_SENSITIVITY = 0.8
#: Most corners kept of the curve; if there are more, some are left out, evenly.
CORNERS = 800


def roc(run: Artifacts) -> dict[str, Any]:
    """The blend's curve as [false positive rate, sensitivity] corners, and the scored region's area."""
    counts = rank_counts(run.oof["target"], run.oof["blend"])
    corners = curve(counts)
    return {
        "corners": [[float(x), float(y)] for x, y in thinned(corners, CORNERS)],
        "all_corners": len(corners),
        "min_sensitivity": MIN_SENSITIVITY,
        "pauc": run.metrics["scores"]["blend"]["pooled"]["pauc"],
    }


def curve(counts: RankCounts) -> NDArray[np.float64]:
    """Corners of the curve from (0, 0) to (1, 1), shape (2 G + 2, 2), with G distinct malignant scores.

    From one malignant score down to the next, only false alarms are added (level); at a tie, both are (a slope).
    """
    found, alarms = counts.found[::-1] / counts.total, counts.false_alarms[::-1] / counts.benign
    before_found = found - counts.malignant[::-1] / counts.total
    before_alarms = alarms - counts.tied[::-1] / counts.benign
    pairs = np.stack([np.stack([before_alarms, before_found], 1), np.stack([alarms, found], 1)], 1).reshape(-1, 2)
    return np.concatenate([[[0.0, 0.0]], pairs, [[1.0, 1.0]]])


def thinned(corners: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """At most `most` corners, evenly spaced, both ends kept."""
    if len(corners) <= most:
        return corners
    return corners[np.unique(np.linspace(0, len(corners) - 1, most).round().astype(np.int64))]


def threshold_for(target: ArrayLike, score: ArrayLike, sensitivity: float = MIN_SENSITIVITY) -> float:
    """The highest score that, as a threshold, still finds this share of all malignant lesions."""
    malignant = np.sort(np.asarray(score)[np.asarray(target) == 1])[::-1]
    return float(malignant[int(np.ceil(sensitivity * malignant.size - 1e-9)) - 1])
