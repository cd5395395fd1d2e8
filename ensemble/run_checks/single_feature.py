"""Does one feature explain nearly everything, and does the score depend on how lesions were selected?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.findings import Check, Finding
from cv_folds.bootstrap import POOLED, replicate
from cv_folds.bootstrap.intervals import Difference
from cv_folds.metrics import roc_auc
from ensemble.matrix import Matrix
from ensemble.model_store import ModelStore
from ensemble.out_of_fold import Plan
from ensemble.run_checks.measures import Floats, thinned

DOMINANT = Check("UD206", "one feature that explains nearly everything", "warning")
SMALL_LESIONS = Check("UD207", "a score that rests on how small lesions were selected", "warning")
AUC_LIMIT = 0.95
SHARE_LIMIT = 0.5
#: SLICE-3D holds smaller lesions only if somebody tagged them by hand, as was every malignant one.
SMALL_MM = 2.5
_BENIGN = 20_000
_EXPLAINED = 1_000


def dominant_feature(matrix: Matrix, target: npt.NDArray[np.int8], shares: Mapping[str, float]) -> Finding:
    """Look for one feature that ranks lesions almost by itself, or that carries the models almost by itself.

    Args:
        matrix: Features, shape (lesions, features).
        target: 0 benign, 1 malignant, shape (lesions,).
        shares: Share of each feature in the models' contributions, see `contribution_shares`.
    """
    benign = thinned(np.flatnonzero(target == 0), _BENIGN)
    rows = np.concatenate([np.flatnonzero(target == 1), benign])
    values, labels = matrix.values[rows], target[rows]
    found = {
        name: _alone(values[:, place], labels, name in matrix.space.levels)
        for place, name in enumerate(matrix.space.names)
    }
    best, largest = max(found, key=lambda name: found[name]), max(shares, key=lambda name: shares[name])
    measured = f"{best} alone has AUC {found[best]:.3f}; {largest} has {shares[largest]:.0%} of the contributions"
    ask = DOMINANT.found if found[best] >= AUC_LIMIT or shares[largest] >= SHARE_LIMIT else DOMINANT.clear
    return ask(measured, best=best, auc=found[best], largest=largest, share=shares[largest])


def contribution_shares(plan: Plan, store: ModelStore, matrix: Matrix, *, threads: int) -> dict[str, float]:
    """Share of each feature in the mean size of contributions to log odds, over learners and folds, out of fold.

    At most 1,000 lesions of each fold are explained, by the models of the first seed and repeat.
    """
    total = dict.fromkeys(matrix.space.names, 0.0)
    slots = [slot for slot in plan.slots() if slot.seed == plan.seeds[0] and slot.repeat == 0]
    for slot in slots:
        rows = thinned(np.flatnonzero(plan.assignments[0] == slot.fold), _EXPLAINED)
        model = store.load(slot)
        sizes = np.abs(model.contributions(matrix.rows(rows), threads=threads)[:, :-1]).mean(axis=0)
        for name, size in zip(model.space.names, sizes / (sizes.sum() or 1.0), strict=True):
            total[name] += float(size) / len(slots)
    return total


def _alone(values: Floats, target: npt.NDArray[np.int8], is_category: bool) -> float:
    """AUC of one feature, whichever way it points; a missing value counts as the median, a category as its share."""
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.5
    if is_category:
        codes = np.where(np.isnan(values), -1, values)
        share = {code: float(target[codes == code].mean()) for code in np.unique(codes)}
        score = np.array([share[code] for code in codes])
    else:
        score = np.where(np.isnan(values), np.median(known), values).astype(np.float64)
    auc = roc_auc(target, score)
    return max(auc, 1 - auc)


def small_lesions(
    size: Floats, target: npt.NDArray[np.int8], score: Floats, patient: pl.Series, *, replicates: int
) -> Finding:
    """How much of the pAUC is left without the lesions that are in the data only because somebody tagged them.

    Args:
        size: Longest diameter in mm, shape (lesions,).
        target: 0 benign, 1 malignant, shape (lesions,).
        score: The out-of-fold blend, shape (lesions,).
        patient: Patient ids, shape (lesions,).
        replicates: Replicates of the patient bootstrap.
    """
    large = ~(size < SMALL_MM)
    small = int((~large).sum())
    if not small or not target[large].any():
        return SMALL_LESIONS.not_applicable(f"{small} of {len(size)} lesions are smaller than {SMALL_MM} mm")
    views = {"large": large}
    drawn = replicate(target, {"blend": score}, patient=patient, views=views, replicates=replicates)
    every, rest = (drawn.samples[view, "pauc", "blend"] for view in (POOLED, "large"))
    gap = Difference.of(every.minus(rest))
    prevalence = [float(target[flags].mean()) for flags in (~large, large)]
    measured = (
        f"pAUC {every.estimate:.4f} with and {rest.estimate:.4f} without the {small} lesions under {SMALL_MM} mm; "
        f"{prevalence[0]:.2%} of them and {prevalence[1]:.2%} of the others are malignant"
    )
    ask = SMALL_LESIONS.found if gap.low > 0 else SMALL_LESIONS.clear
    return ask(measured, small=small, pauc=every.estimate, pauc_without=rest.estimate, difference=gap.as_dict())
