"""Do figures depend on the fold or on the seed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import chi2, spearmanr

from cohort.findings import Check, Finding
from cv_folds.bootstrap import POOLED, replicate
from ensemble.jobs import JobRunner, Table
from ensemble.out_of_fold import Plan, Scores, score_out_of_fold

BY_FOLD = Check("UD209", "a pAUC that differs between folds by more than the choice of patients explains", "warning")
BY_SEED = Check("UD210", "scores that hang on the seed", "warning")
RARE = 0.01
"""Folds count as unstable if chance alone would spread them as far in fewer cases than this share."""
LEAST_ERROR = 1e-9
"""Below this, the pAUC of a fold is the same in every replicate: it is perfect, or there is one malignant lesion."""
SEED_SHARE = 0.5
"""Seeds count as unstable if they move the pAUC by more than this share of its standard error over patients."""


def between_folds(oof: pl.DataFrame, *, replicates: int) -> Finding:
    r"""Test whether folds have one pAUC in common.

    Cochran's $Q = \sum_k (x_k - \bar x)^2 / s_k^2$ with the bootstrap's standard errors $s_k$ and the mean weighted by
    $1 / s_k^2$ follows the chi-squared distribution with one degree of freedom fewer than there are folds.

    Args:
        oof: patient_id, target, fold and blend.
        replicates: Replicates of the patient bootstrap.
    """
    folds = sorted(oof["fold"].unique())
    views = {f"fold {fold}": (oof["fold"] == fold).to_numpy() for fold in folds}
    drawn = replicate(
        oof["target"], {"blend": oof["blend"].to_numpy()}, patient=oof["patient_id"], views=views, replicates=replicates
    )
    intervals = [drawn.interval(view, "pauc", "blend") for view in views]
    pauc, error = (np.array([getattr(one, name) for one in intervals]) for name in ("estimate", "standard_error"))
    if not (np.isfinite(error) & (error > LEAST_ERROR)).all():
        return BY_FOLD.not_applicable("the pAUC of a fold is the same whatever patients are drawn")
    centre = np.average(pauc, weights=error**-2)
    p = float(chi2.sf((((pauc - centre) / error) ** 2).sum(), len(folds) - 1))
    measured = f"pAUC {pauc.min():.4f} to {pauc.max():.4f}, standard errors {error.min():.4f} to {error.max():.4f}"
    ask = BY_FOLD.found if p < RARE else BY_FOLD.clear
    return ask(f"{measured}, p = {p:.3g}", pauc=pauc.tolist(), standard_error=error.tolist(), p=p)


def scores_by_seed(plan: Plan, learners: Sequence[str], table: Table, runner: JobRunner) -> dict[str, list[Scores]]:
    """Out-of-fold scores of each learner with each seed alone, each of shape (lesions,): the run's own jobs."""
    known = {name: plan.learners[name] for name in learners}
    parts = [
        score_out_of_fold(replace(plan, learners=known, seeds=[seed]), table, runner, title=None) for seed in plan.seeds
    ]
    return {name: [part[name] for part in parts] for name in learners}


def between_seeds(
    scores: Mapping[str, Sequence[Scores]], target: npt.NDArray[np.int8], patient: pl.Series, *, replicates: int
) -> Finding:
    """Compare how much pAUC varies with the seed and how much it would with other patients.

    Args:
        scores: By learner the out-of-fold scores of each seed.
        target: 0 benign, 1 malignant, shape (lesions,).
        patient: Patient ids, shape (lesions,).
        replicates: Replicates of the patient bootstrap.
    """
    if min(len(each) for each in scores.values()) < 2:
        return BY_SEED.not_applicable("the run has one seed")
    worst, words = 0.0, []
    values: dict[str, dict[str, float]] = {}
    for name, parts in scores.items():
        columns = {str(seed): part for seed, part in enumerate(parts)}
        drawn = replicate(target, columns, patient=patient, replicates=replicates)
        found = [drawn.interval(POOLED, "pauc", seed) for seed in columns]
        spread = float(np.std([one.estimate for one in found], ddof=1))
        error = float(np.mean([one.standard_error for one in found]))
        agreement = min(
            float(spearmanr(first, second).statistic) for i, first in enumerate(parts) for second in parts[i + 1 :]
        )
        values[name] = {"spread": spread, "standard_error": error, "least_rank_correlation": agreement}
        words.append(f"{name} ± {spread:.4f} (patients ± {error:.4f}), rank correlation {agreement:.3f}")
        worst = max(worst, spread / error)
    ask = BY_SEED.found if worst > SEED_SHARE else BY_SEED.clear
    return ask(f"pAUC between seeds: {'; '.join(words)}", learners=values)
