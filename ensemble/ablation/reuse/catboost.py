"""CatBoost: the sample is quantised once; features that a set lacks are ignored."""

from __future__ import annotations

import catboost

from ensemble.ablation.reuse.sample import Sample, free_of
from ensemble.learners.catboost import _FIXED, CatBoost, CatBoostModel, _pool, _pool_order
from ensemble.matrix import FeatureSpace

_QUANTISATION = ("border_count", "max_bin", "feature_border_type", "nan_mode")


class SharedCatBoost:
    """A quantised sample. A model that ignores features is the model of the others: it draws nothing for them."""

    def __init__(self, learner: CatBoost, sample: Sample, *, seed: int, threads: int) -> None:
        self._options = {**learner.parameters, **_FIXED, "random_seed": seed, "thread_count": threads}
        self._options["iterations"] = self._options.pop("n_trees")
        self._space = sample.matrix.space
        self._order = [self._space.names[place] for place in _pool_order(self._space)]
        self._pool = _pool(sample.matrix.values, self._space, sample.target, sample.weight)
        self._pool.quantize(**{name: self._options[name] for name in _QUANTISATION if name in self._options})

    @staticmethod
    def serves(learner: CatBoost) -> bool:
        """Whether the parameters speak of no single feature and draw none."""
        return free_of(
            learner.parameters,
            *("rsm", "colsample_bylevel", "ignored_features", "per_float_feature_quantization", "input_borders"),
            *("monotone_constraints", "feature_weights", "penalties_coefficient", "first_feature_use_penalties"),
            *("per_object_feature_penalties", "per_feature_ctr", "fixed_binary_splits"),
        )

    def fit(self, space: FeatureSpace) -> CatBoostModel:
        """See `Shared.fit`; the model knows all features of the sample, and uses those of `space`."""
        kept = set(space.names)
        ignored = [place for place, name in enumerate(self._order) if name not in kept]
        booster = catboost.CatBoost({**self._options, "ignored_features": ignored})
        booster.fit(self._pool)
        return CatBoostModel(booster, self._space)
