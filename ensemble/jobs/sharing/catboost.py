"""CatBoost: the borders of every numeric feature are chosen once; a set of features is only binned by them."""

from __future__ import annotations

from collections.abc import Callable

import catboost

from engine.scratch import scratch
from ensemble.learners.catboost import CatBoost, CatBoostModel, pool_of, pool_order, says_constant
from ensemble.matrix import FeatureSpace, Matrix
from ensemble.sampling import Sample

#: Parameters, other than their number, that decide how borders are chosen.
_OF_BORDERS = frozenset(
    {
        "feature_border_type",
        "input_borders",
        "nan_mode",
        "per_float_feature_quantization",
        "dev_max_subset_size_for_build_borders",
    }
)
#: Up to this many rows the library uses all to choose borders, else a sample
#: (`dev_max_subset_size_for_build_borders`).
_ALL_ROWS = 200_000


def share_catboost(
    learner: CatBoost, sample: Sample, *, seed: int, threads: int
) -> Callable[[FeatureSpace], CatBoostModel] | None:
    """Choose the borders once.

    As long as all rows are used, the borders of a column depend on that column alone. The library reads them from a
    file that lists them by the column's position in the pool. They are passed to the training, not to a quantised
    pool, which would break ties between equally good splits in another order.

    Returns:
        A function that trains on a set of features; None if a parameter of the learner, or too many rows, forbids it.
    """
    if not _OF_BORDERS.isdisjoint(learner.parameters) or len(sample.matrix) > _ALL_ROWS:
        return None
    borders = _borders(learner, sample)

    def fit(space: FeatureSpace) -> CatBoostModel:
        named = enumerate(space.names[place] for place in pool_order(space))
        known = [f"{place}\t{border}" for place, name in named for border in borders.get(name, ())]
        with scratch() as folder:
            (path := folder / "borders.tsv").write_text("\n".join(known), "utf-8")
            bordered = CatBoost({**learner.parameters, "input_borders": str(path)})
            columns = sample.columns(space)
            return bordered.fit(columns, sample.target, seed=seed, threads=threads, weight=sample.weight)

    return fit


def _borders(learner: CatBoost, sample: Sample) -> dict[str, list[str]]:
    """Borders of each feature, as the library writes them; constants have none."""
    # A separate matrix, so that its transposed copy is freed once the borders are known.
    matrix = Matrix(sample.matrix.space, sample.matrix.values)
    pool = pool_of(matrix, matrix.space, sample.target, sample.weight)
    try:
        pool.quantize(border_count=learner.parameters.get("border_count"))
    except catboost.CatBoostError as error:
        if not says_constant(error):
            raise
        return {}
    order, found = pool_order(matrix.space), dict[str, list[str]]()
    with scratch() as folder:
        pool.save_quantization_borders(str(path := folder / "borders.tsv"))
        for line in path.read_text("utf-8").splitlines():
            place, _, border = line.partition("\t")
            found.setdefault(matrix.space.names[order[int(place)]], []).append(border)
    return found
