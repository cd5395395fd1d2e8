"""Is the ensemble better than a logistic regression on the plain columns?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from cohort.findings import Check, Finding
from cv_folds.bootstrap import replicate
from cv_folds.formats import difference, estimate
from cv_folds.scoring import MEAN
from ensemble.jobs import JobRunner, Table
from ensemble.learners import Logistic
from ensemble.out_of_fold import Plan, Scores, score_out_of_fold

NOT_BETTER = Check("UD208", "a blend that is not shown to be better than a logistic baseline", "warning")
PLAIN_GROUPS = ("basic", "tbp", "further")
_NAME = "logistic baseline"


def logistic_scores(plan: Plan, table: Table, features: Sequence[str], runner: JobRunner) -> Scores:
    """Out-of-fold scores of a logistic regression, by the run's folds and samples, shape (lesions,).

    Args:
        plan: How the run trains; its first seed and repeat are used.
        table: Features and targets.
        features: Names of the plain columns.
        runner: Runs the jobs.
    """
    alone = replace(
        plan,
        learners={_NAME: Logistic.configured({})},
        features={_NAME: tuple(features)},
        noise={},
        seeds=plan.seeds[:1],
        assignments=plan.assignments[:1],
    )
    return score_out_of_fold(alone, table, runner, title=None)[_NAME]


def against_baseline(oof: pl.DataFrame, baseline: Scores, *, replicates: int) -> Finding:
    """The paired difference of blend and baseline, as the mean over folds, since score scales differ between folds.

    Args:
        oof: patient_id, target, fold and blend.
        baseline: Scores of the baseline, shape (lesions,).
        replicates: Replicates of the patient bootstrap.
    """
    views = {f"fold {fold}": (oof["fold"] == fold).to_numpy() for fold in sorted(oof["fold"].unique())}
    scores = {"blend": oof["blend"].to_numpy(), _NAME: baseline}
    drawn = replicate(
        oof["target"], scores, patient=oof["patient_id"], views=views, means={MEAN: list(views)}, replicates=replicates
    )
    blend, plain = (drawn.interval(MEAN, "pauc", name) for name in scores)
    gap = drawn.difference(MEAN, "pauc", "blend", _NAME)
    cells: dict[str, Any] = {"blend": blend.as_dict(), "baseline": plain.as_dict(), "difference": gap.as_dict()}
    ask = NOT_BETTER.clear if gap.low > 0 else NOT_BETTER.found
    return ask(
        f"mean pAUC over folds {estimate(cells['blend'])}, baseline {estimate(cells['baseline'])}, "
        f"difference {difference(cells['difference'])}" + (", worse" if gap.high < 0 else ""),
        **cells,
    )
