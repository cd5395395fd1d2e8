"""The figures of an out-of-fold image score, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cv_folds.bootstrap.replicates import POOLED, replicate
from cv_folds.bootstrap.shares import shares
from cv_folds.metrics import AUC, PAUC, SENSITIVITY883
from cv_folds.metrics.inputs import patient_codes

MEAN = "mean over folds"
METRICS = (PAUC, AUC, SENSITIVITY883)


def measure(
    folds: pl.DataFrame, scores: Mapping[str, NDArray[np.float64]], *, replicates: int = 10_000
) -> dict[str, Any]:
    """pAUC, AUC and sensitivity at 88.3 % specificity of each score, and each later score against the first.

    Args:
        folds: isic_id, patient_id, target, fold, as in a folds artifact.
        scores: By name, in the order of `folds`; a lesion for which one of them is NaN is left out of all.
        replicates: Replicates of the patient bootstrap.

    Returns:
        Ready for JSON: lesions, malignant, left_out, unit, `scores` (by name, then "pooled" and "mean over folds", then
        metric) and `differences` (each score but the first, minus the first, paired).
    """
    usable = np.all([np.isfinite(score) for score in scores.values()], axis=0)
    rows = folds.filter(pl.Series(usable))
    held = {name: score[usable] for name, score in scores.items()}
    fold = rows["fold"].to_numpy()
    views = {f"fold {place}": fold == place for place in np.unique(fold)}
    drawn = replicate(
        rows["target"].to_numpy(),
        held,
        metrics=METRICS,
        patient=rows["patient_id"],
        views=views,
        means={MEAN: tuple(views)},
        replicates=replicates,
        seed=0,
    )
    first, *others = held
    return {
        "lesions": len(rows),
        "malignant": int(rows["target"].sum()),
        "left_out": int((~usable).sum()),
        "unit": drawn.unit,
        "scores": {
            name: {
                view: {metric.name: drawn.interval(view, metric.name, name).as_dict() for metric in METRICS}
                for view in (POOLED, MEAN)
            }
            for name in held
        },
        "differences": {
            name: {metric.name: drawn.difference(POOLED, metric.name, name, first).as_dict() for metric in METRICS}
            for name in others
        },
    }


def class_figures(
    index: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    names: tuple[str, ...],
    patient: pl.Series,
    *,
    replicates: int = 10_000,
) -> dict[str, Any]:
    """Balanced multi-class accuracy of out-of-fold class probabilities: the mean over classes of their sensitivity.

    Source: goal metric of the ISIC 2018 challenge, task 3 (Codella et al., arXiv 1902.03368).

    The most probable class is almost always the most frequent one; dividing by each class's share of the lesions first
    gives every class the same weight, as the metric does. The intervals take these shares as given. If training drew
    fewer benign lesions than there are, benign diagnoses are chosen less often than this intends: that moves accuracy
    and single sensitivities more than their mean.

    Args:
        index: True class; shape (lesions,).
        probabilities: Shape (lesions, classes); rows with NaN are left out.
        names: Names of the classes.
        patient: Patient of each lesion.
        replicates: Replicates of the patient bootstrap.

    Returns:
        Ready for JSON: `balanced_accuracy` and `accuracy` with their intervals, `sensitivity` of each class with its
        own, and `lesions`, how many of each class there are. Classes that no lesion has are absent.
    """
    usable = np.isfinite(probabilities).all(1)
    index, probabilities = index[usable], probabilities[usable]
    lesions = np.bincount(index, minlength=len(names))
    # A class that none of these lesions has (an extra table's) is never chosen.
    likely = np.divide(probabilities, lesions, where=lesions > 0, out=np.zeros_like(probabilities))
    right = likely.argmax(1) == index
    present = {name: place for place, name in enumerate(names) if lesions[place]}
    parts = {f"class {name}": (right, index == place) for name, place in present.items()}
    found = shares(
        {"accuracy": (right, np.ones_like(right)), **parts},
        patient_codes(patient.filter(pl.Series(usable)), len(index)),
        means={"balanced_accuracy": tuple(parts)},
        replicates=replicates,
        seed=0,
    )
    return {
        "balanced_accuracy": found["balanced_accuracy"],
        "accuracy": found["accuracy"],
        "sensitivity": {name: found[f"class {name}"] for name in present},
        "lesions": {name: int(lesions[place]) for name, place in present.items()},
    }
