"""CatBoost: the borders of every number are chosen once; a set of features is only sorted into them."""

from __future__ import annotations

import catboost

from engine.scratch import scratch
from ensemble.jobs.sharing.shared import free_of
from ensemble.learners.catboost import CatBoost, CatBoostModel, pool_of, pool_order, says_constant
from ensemble.matrix import FeatureSpace, Matrix
from ensemble.sampling import Sample

#: Default of the library's `dev_max_subset_size_for_build_borders`.
_ALL_ROWS = 200_000


class SharedCatBoost:
    """A sample whose borders are known.

    As long as all rows are looked at, borders of a column depend on that column alone. The library takes them over from
    a file that lists them by the column's place in the pool. They are given to the training, not to a quantised pool:
    such a pool breaks ties between equally good splits in another order.
    """

    def __init__(self, learner: CatBoost, sample: Sample, *, seed: int, threads: int) -> None:
        self._learner, self._sample, self._seed, self._threads = learner, sample, seed, threads
        # A matrix of its own, so that its turned copy goes when the borders are known.
        matrix = Matrix(sample.matrix.space, sample.matrix.values)
        pool = pool_of(matrix, matrix.space, sample.target, sample.weight)
        self._borders: dict[str, list[str]] = {}
        try:
            pool.quantize(border_count=learner.parameters.get("border_count"))
        except catboost.CatBoostError as error:
            if not says_constant(error):
                raise
            return
        with scratch() as folder:
            pool.save_quantization_borders(str(path := folder / "borders.tsv"))
            self._borders = _by_feature(path.read_text("utf-8"), sample.matrix.space)

    @staticmethod
    def serves(learner: CatBoost, sample: Sample) -> bool:
        """Whether borders are chosen by their number alone, and from all rows: of more, the library draws some."""
        others = ("feature_border_type", "input_borders", "nan_mode", "per_float_feature_quantization")
        drawn = "dev_max_subset_size_for_build_borders"
        return free_of(learner.parameters, *others, drawn) and len(sample.matrix) <= _ALL_ROWS

    def fit(self, space: FeatureSpace) -> CatBoostModel:
        """See `Shared.fit`."""
        sample = self._sample
        named = enumerate(space.names[place] for place in pool_order(space))
        known = [f"{place}\t{border}" for place, name in named for border in self._borders.get(name, ())]
        with scratch() as folder:
            (path := folder / "borders.tsv").write_text("\n".join(known), "utf-8")
            learner = CatBoost({**self._learner.parameters, "input_borders": str(path)})
            return learner.fit(
                sample.columns(space), sample.target, seed=self._seed, threads=self._threads, weight=sample.weight
            )


def _by_feature(listed: str, space: FeatureSpace) -> dict[str, list[str]]:
    """What follows each place in the library's list, by the feature that stands there; constants have no borders."""
    order = pool_order(space)
    found: dict[str, list[str]] = {}
    for line in listed.splitlines():
        place, _, border = line.partition("\t")
        found.setdefault(space.names[order[int(place)]], []).append(border)
    return found
