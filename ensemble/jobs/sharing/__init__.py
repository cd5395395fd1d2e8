"""What training on one set of features can take over from training on another, for the same rows.

Every way here gives the models that the learner itself would have trained on those features alone, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence

from ensemble.jobs.sharing.catboost import SharedCatBoost
from ensemble.jobs.sharing.lightgbm import SharedLightGBM
from ensemble.jobs.sharing.shared import Plain, Shared
from ensemble.jobs.sharing.xgboost import SharedXGBoost
from ensemble.learners import CatBoost, Learner, LightGBM, XGBoost
from ensemble.sampling import Sample

__all__ = ["Shared", "share"]


def share(learner: Learner, sample: Sample, sets: Sequence[Sequence[str]], *, seed: int, threads: int) -> Shared:
    """Prepare a sample for training one learner on several sets of its features.

    Args:
        learner: The learner; of others than the three boosting libraries, and for one set, nothing is reused.
        sample: Training rows with every feature that any of the sets has.
        sets: The sets of features, each in the order of the sample's.
        seed: Of the learner.
        threads: CPU threads.
    """
    if len(sets) == 1:
        return Plain(learner, sample, seed=seed, threads=threads)
    if isinstance(learner, LightGBM) and SharedLightGBM.serves(learner):
        return SharedLightGBM(learner, sample, sets, seed=seed, threads=threads)
    if isinstance(learner, XGBoost) and SharedXGBoost.serves(learner):
        return SharedXGBoost(learner, sample, seed=seed, threads=threads)
    if isinstance(learner, CatBoost) and SharedCatBoost.serves(learner, sample):
        return SharedCatBoost(learner, sample, seed=seed, threads=threads)
    return Plain(learner, sample, seed=seed, threads=threads)
