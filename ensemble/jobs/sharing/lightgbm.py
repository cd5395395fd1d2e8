"""LightGBM: each run of columns is binned once; the bins of a set of features are assembled from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import lightgbm
import numpy as np

from ensemble.learners.lightgbm import LightGBM, LightGBMModel
from ensemble.matrix import FeatureSpace
from ensemble.quiet import quiet
from ensemble.sampling import Sample

#: Parameters under which columns cannot be binned separately.
_TOGETHER = frozenset({"linear_tree", "max_bin_by_feature", "forcedbins_filename"})


def share_lightgbm(
    learner: LightGBM, sample: Sample, sets: Sequence[Sequence[str]], *, seed: int, threads: int
) -> Callable[[FeatureSpace], LightGBMModel] | None:
    """Bin runs of neighbouring columns that every set of features takes or leaves as a whole.

    The bins of a column depend on that column alone, so binned runs side by side make up the binned table.

    Returns:
        A function that trains on a set of features; None if a parameter of the learner forbids it.
    """
    if not _TOGETHER.isdisjoint(learner.parameters):
        return None
    options, n_trees = learner.options(seed=seed, threads=threads)
    binned = {run: _binned(sample, run, options) for run in _runs(sample.matrix.space, sets)}
    rows = np.arange(len(sample.matrix))

    def fit(space: FeatureSpace) -> LightGBMModel:
        wanted = set(sample.matrix.places(space))
        first, *others = (data for run, data in binned.items() if wanted.issuperset(run))
        data = first.subset(rows).construct()  # a copy: it grows
        with quiet():  # it warns of raw values, which are not kept, and category positions, which are
            for other in others:
                data.add_features_from(other)
        return LightGBMModel(lightgbm.train(options, data, num_boost_round=n_trees), space)

    return fit


def _binned(sample: Sample, run: tuple[int, ...], options: Mapping[str, Any]) -> lightgbm.Dataset:
    space = sample.matrix.space
    return lightgbm.Dataset(
        np.ascontiguousarray(sample.matrix.values[:, run]),
        label=sample.target,
        weight=sample.weight,
        feature_name=[f"f{place}" for place in run],
        categorical_feature=[i for i, place in enumerate(run) if space.names[place] in space.levels],
        params=options,
    ).construct()


def _runs(space: FeatureSpace, sets: Sequence[Sequence[str]]) -> list[tuple[int, ...]]:
    """Cut the columns wherever any set begins or ends."""
    member = np.array([np.isin(space.names, list(names)) for names in sets])
    cuts = np.flatnonzero((member[:, 1:] != member[:, :-1]).any(axis=0)) + 1
    return [tuple(int(place) for place in run) for run in np.split(np.arange(len(space.names)), cuts)]
