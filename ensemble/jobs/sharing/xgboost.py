"""XGBoost: the borders of every column are found once; a set of features is only binned by them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import xgboost

from ensemble.learners.xgboost import XGBoost, XGBoostModel, quantised
from ensemble.matrix import FeatureSpace
from ensemble.sampling import Sample

#: Parameters that refer to single features.
_OF_FEATURES = frozenset({"feature_weights", "monotone_constraints", "interaction_constraints"})


def share_xgboost(
    learner: XGBoost, sample: Sample, *, seed: int, threads: int
) -> Callable[[FeatureSpace], XGBoostModel] | None:
    """Find the borders once.

    The borders of a column depend only on that column (and the weights). XGBoost takes borders only from a matrix of
    the same columns, so one is made whose rows are the borders: with so few values, each becomes a border.

    Returns:
        A function that trains on a set of features; None if a parameter of the learner forbids it.
    """
    if not _OF_FEATURES.isdisjoint(learner.parameters) or learner.parameters.get("booster", "gbtree") != "gbtree":
        return None
    options, n_trees = learner.options(seed=seed, threads=threads)
    matrix, given = sample.matrix, {"label": sample.target, "weight": sample.weight}
    borders = _border_rows(quantised(matrix.values, matrix.space, options, **given), sample)

    def fit(space: FeatureSpace) -> XGBoostModel:
        known = quantised(np.ascontiguousarray(borders[:, matrix.places(space)]), space, options)
        data = quantised(matrix.for_model(space), space, options, ref=known, **given)
        return XGBoostModel(xgboost.train(options, data, num_boost_round=n_trees), space)

    return fit


def _border_rows(whole: xgboost.QuantileDMatrix, sample: Sample) -> npt.NDArray[np.float32]:
    """Each column's lowest value, borders and highest value, filled up with NaN."""
    starts, borders = whole.get_quantile_cut()
    found = []
    for place in range(len(sample.matrix.space.names)):
        column = sample.matrix.values[:, place]
        column = column[~np.isnan(column)]
        own = borders[starts[place] : starts[place + 1]]
        ends = [column.min(), column.max()] if column.size else []
        inside = own[(own > ends[0]) & (own < ends[1])] if column.size else own[:0]
        found.append(np.unique(np.append(inside, ends).astype(np.float32)))
    rows = np.full((max(map(len, found)), len(found)), np.nan, dtype=np.float32)
    for place, column in enumerate(found):
        rows[: len(column), place] = column
    return rows
