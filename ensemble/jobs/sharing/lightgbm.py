"""LightGBM: each run of columns is binned once; the bins of a set of features are put together from them."""

from __future__ import annotations

from collections.abc import Sequence

import lightgbm
import numpy as np

from ensemble.jobs.sharing.shared import free_of, positions
from ensemble.learners.lightgbm import _FIXED, LightGBM, LightGBMModel
from ensemble.matrix import FeatureSpace
from ensemble.quiet import quiet
from ensemble.sampling import Sample


class SharedLightGBM:
    """A sample binned in runs of neighbouring columns that every set of features takes or leaves as a whole.

    Bins of a column depend on that column alone, so binned runs laid side by side are the binned table.
    """

    def __init__(
        self, learner: LightGBM, sample: Sample, sets: Sequence[Sequence[str]], *, seed: int, threads: int
    ) -> None:
        self._options = {**learner.parameters, **_FIXED, "seed": seed, "num_threads": threads}
        self._n_trees = self._options.pop("n_trees")
        self._sample = sample
        self._rows = np.arange(len(sample.matrix))
        self._runs = {run: self._binned(run) for run in _runs(sample.matrix.space, sets)}

    @staticmethod
    def serves(learner: LightGBM) -> bool:
        """Whether the parameters let columns be binned apart."""
        return free_of(learner.parameters, "linear_tree", "max_bin_by_feature", "forcedbins_filename")

    def fit(self, space: FeatureSpace) -> LightGBMModel:
        """See `Shared.fit`."""
        wanted = set(positions(self._sample.matrix.space, space))
        runs = [run for run in self._runs if wanted.issuperset(run)]
        data = self._runs[runs[0]].subset(self._rows).construct()  # a copy: it grows
        with quiet():  # of raw values, which are not kept, and category positions, which are
            for run in runs[1:]:
                data.add_features_from(self._runs[run])
        return LightGBMModel(lightgbm.train(self._options, data, num_boost_round=self._n_trees), space)

    def _binned(self, run: tuple[int, ...]) -> lightgbm.Dataset:
        sample, space = self._sample, self._sample.matrix.space
        return lightgbm.Dataset(
            np.ascontiguousarray(sample.matrix.values[:, run]),
            label=sample.target,
            weight=sample.weight,
            feature_name=[f"f{place}" for place in run],
            categorical_feature=[i for i, place in enumerate(run) if space.names[place] in space.levels],
            params=self._options,
        ).construct()


def _runs(space: FeatureSpace, sets: Sequence[Sequence[str]]) -> list[tuple[int, ...]]:
    """Cut the columns wherever any set begins or ends."""
    member = np.array([np.isin(space.names, list(names)) for names in sets])
    cuts = np.flatnonzero((member[:, 1:] != member[:, :-1]).any(axis=0)) + 1
    return [tuple(int(place) for place in run) for run in np.split(np.arange(len(space.names)), cuts)]
