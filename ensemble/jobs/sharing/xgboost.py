"""XGBoost: the borders of every column are found once; a set of features is only sorted into them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xgboost

from ensemble.jobs.sharing.shared import free_of, positions
from ensemble.learners.xgboost import _FIXED, XGBoost, XGBoostModel, _types
from ensemble.matrix import FeatureSpace
from ensemble.sampling import Sample


class SharedXGBoost:
    """A sample whose borders are known.

    Borders of a column depend on that column (and the weights) alone. XGBoost takes borders over only from a matrix of
    the same columns, so one is made whose rows are the borders themselves: of so few values it makes each a border.
    """

    def __init__(self, learner: XGBoost, sample: Sample, *, seed: int, threads: int) -> None:
        self._options = {**learner.parameters, **_FIXED, "seed": seed, "nthread": threads}
        self._n_trees = self._options.pop("n_trees")
        self._sample = sample
        whole = self._matrix(sample.matrix.values, sample.matrix.space, label=sample.target, weight=sample.weight)
        self._borders = _border_rows(whole, sample)

    @staticmethod
    def serves(learner: XGBoost) -> bool:
        """Whether the parameters speak of no single feature."""
        names = ("feature_weights", "monotone_constraints", "interaction_constraints")
        return free_of(learner.parameters, *names) and learner.parameters.get("booster", "gbtree") == "gbtree"

    def fit(self, space: FeatureSpace) -> XGBoostModel:
        """See `Shared.fit`."""
        sample = self._sample
        borders = self._borders[:, positions(sample.matrix.space, space)]
        known = self._matrix(np.ascontiguousarray(borders), space)
        values = sample.matrix.for_model(space)
        data = self._matrix(values, space, label=sample.target, weight=sample.weight, ref=known)
        return XGBoostModel(xgboost.train(self._options, data, num_boost_round=self._n_trees), space)

    def _matrix(self, values: npt.NDArray[np.float32], space: FeatureSpace, **given: object) -> xgboost.QuantileDMatrix:
        return xgboost.QuantileDMatrix(
            values,
            feature_types=_types(space),
            enable_categorical=True,
            nthread=self._options["nthread"],
            max_bin=self._options.get("max_bin", 256),
            **given,
        )


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
