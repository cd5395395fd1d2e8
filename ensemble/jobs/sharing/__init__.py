"""What training on one set of features can reuse from training on another, for the same rows.

Every method here gives, bit for bit, the model that the learner would train on those features alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ensemble.jobs.sharing.catboost import share_catboost
from ensemble.jobs.sharing.lightgbm import share_lightgbm
from ensemble.jobs.sharing.xgboost import share_xgboost
from ensemble.learners import CatBoost, Learner, LightGBM, Model, XGBoost
from ensemble.matrix import FeatureSpace
from ensemble.sampling import Sample

Fit = Callable[[FeatureSpace], Model]
"""Trains on these features alone."""


def share(learner: Learner, sample: Sample, sets: Sequence[Sequence[str]], *, seed: int, threads: int) -> Fit:
    """Prepare a sample for training one learner on several sets of its features.

    Args:
        learner: The learner; if nothing can be reused, or for a single set, its own `fit` trains.
        sample: Training rows with the features of all sets.
        sets: The sets of features, each in the order of the sample.
        seed: Seed of the learner.
        threads: CPU threads.
    """
    fit = prepared(learner, sample, sets, seed=seed, threads=threads) if len(sets) > 1 else None
    return fit or (
        lambda space: learner.fit(
            sample.columns(space), sample.target, seed=seed, threads=threads, weight=sample.weight
        )
    )


def prepared(learner: Learner, sample: Sample, sets: Sequence[Sequence[str]], *, seed: int, threads: int) -> Fit | None:
    """As `share`; None if nothing is known to be reusable."""
    match learner:
        case LightGBM():
            return share_lightgbm(learner, sample, sets, seed=seed, threads=threads)
        case XGBoost():
            return share_xgboost(learner, sample, seed=seed, threads=threads)
        case CatBoost():
            return share_catboost(learner, sample, seed=seed, threads=threads)
        case _:
            return None
