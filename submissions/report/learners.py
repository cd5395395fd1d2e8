"""How the learners agree, what each weighs, and whether the blend is really better than each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from cv_folds.bootstrap import POOLED, replicate
from cv_folds.metrics import AUC, METRICS, PAUC
from submissions.report.artifacts import Artifacts

#: Working points of the blend that the page shows next to the ROC curve.
WORKING_POINTS = ("specificity80", "nnt80", "specificity90", "nnt90")
_COMPARED = (PAUC.name, AUC.name)


def learners(run: Artifacts) -> dict[str, Any]:
    """Weights, rank correlations, paired differences of the blend from each learner, and the blend's working points.

    Returns:
        `method` and `weights` of the blend; `blends`, the ways to blend side by side, if the run measured them;
        `correlations` {"names", "rows"}, None where one is not defined; `differences` of blend minus learner by
        learner and metric; and `working_points` of the blend, by metric.
    """
    names = [*run.learners, "blend"]
    scores = {name: run.oof[name].to_numpy() for name in names}
    metrics = [METRICS[name] for name in (*_COMPARED, *WORKING_POINTS)]
    drawn = replicate(
        run.oof["target"],
        scores,
        metrics=metrics,
        patient=run.oof["patient_id"],
        replicates=run.replicates,
        seed=run.seed,
    )
    differences = [
        {"name": name} | {metric: drawn.difference(POOLED, metric, "blend", name).as_dict() for metric in _COMPARED}
        for name in run.learners
    ]
    points = [
        {
            "name": name,
            "label": METRICS[name].label,
            "digits": METRICS[name].digits,
            **drawn.interval(POOLED, name, "blend").as_dict(),
        }
        for name in WORKING_POINTS
    ]
    return {
        "method": run.blend.get("method", "mean"),
        "weights": run.blend["weights"],
        "blends": run.metrics.get("blends"),
        "correlations": {"names": names, "rows": _correlations(scores)},
        "differences": differences,
        "working_points": points,
    }


def _correlations(scores: dict[str, NDArray[np.float64]]) -> list[list[float | None]]:
    """Spearman's rank correlation of each pair; None with a score that is the same for all, which ranks nothing."""
    ranks = np.stack([rankdata(score) for score in scores.values()])
    with np.errstate(invalid="ignore"):
        found = np.atleast_2d(np.corrcoef(ranks))
    return [[float(value) if np.isfinite(value) else None for value in row] for row in found]
