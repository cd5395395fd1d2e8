"""What is shared changes no bit: every learner against its own `fit` on the columns alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ensemble.jobs.sharing import prepared, share
from ensemble.learners import get_learner
from ensemble.matrix import FeatureSpace, Matrix
from ensemble.sampling import Sample

ROWS = 3_000


@pytest.fixture(scope="module")
def sample() -> Sample:
    """Numbers, some missing, some mostly 0, one constant, one absent, and categories at both ends."""
    chance = np.random.default_rng(0)
    columns: dict[str, pl.Series] = {
        "site": pl.Series([[None, "arm", "leg", "back"][code] for code in chance.integers(0, 4, ROWS)])
    }
    for place in range(12):
        values = chance.normal(size=ROWS).astype(np.float32)
        if place % 3 == 1:
            values[chance.random(ROWS) < 0.3] = np.nan
        if place in {2, 3, 8}:  # columns that are never filled together are what the libraries bundle
            values[np.arange(ROWS) % 9 != place] = 0
        columns[f"x{place}"] = pl.Series(values)
    columns["constant"] = pl.Series(np.ones(ROWS, dtype=np.float32))
    columns["absent"] = pl.Series([None] * ROWS, dtype=pl.Float32)
    columns["single"] = pl.Series(["only"] * ROWS)
    columns["tile"] = pl.Series(chance.choice(["white", "XP"], ROWS).tolist())
    frame = pl.DataFrame({"isic_id": [f"L{row}" for row in range(ROWS)], **columns})
    matrix = FeatureSpace.fit(frame).encode(frame)
    odds = np.nan_to_num(matrix.values[:, 1:6]).sum(axis=1) + (matrix.values[:, 0] == 1) - 1
    target = (chance.random(ROWS) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    return Sample(matrix, target, None)


def sets_of(space: FeatureSpace) -> list[tuple[str, ...]]:
    names = space.names
    return [
        names,
        tuple(name for name in names if name not in {"x3", "x4"}),
        tuple(name for name in names if name not in {"site", "single", "tile"}),
        ("site", "x1", "constant", "tile"),
        ("x2", "x6", "x7", "x8", "absent"),
        ("x2", "constant", "absent", "tile"),
        ("site", "tile"),
        ("x1", "x3", "single"),
        ("site", "x1", "x3", "single"),
        ("constant",),
        ("single",),
        ("constant", "absent", "single"),
    ]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("lightgbm", {"n_trees": 60, "learning_rate": 0.2, "min_data_in_leaf": 20}),
        ("xgboost", {"n_trees": 8}),
        ("catboost", {"n_trees": 8, "border_count": 32}),
        ("catboost", {"n_trees": 30, "depth": 4, "one_hot_max_size": 255}),
        ("logistic", {}),
    ],
)
def test_same_bits_as_the_learner_itself(
    sample: Sample, name: str, parameters: dict[str, object], weighted: bool
) -> None:
    learner = get_learner(name, parameters)
    weight = np.linspace(0.5, 2.0, ROWS) if weighted else None
    given = Sample(sample.matrix, sample.target, weight)
    sets = sets_of(sample.matrix.space)
    assert (prepared(learner, given, sets, seed=5, threads=1) is None) == (name == "logistic")
    fit = share(learner, given, sets, seed=5, threads=1)
    for names in sets:
        space = sample.matrix.space.restricted(names)
        alone = Matrix(space, sample.matrix.for_model(space))
        wanted = learner.fit(alone, sample.target, seed=5, threads=2, weight=weight).predict(alone, threads=1)
        found = fit(space).predict(sample.matrix, threads=1)
        np.testing.assert_array_equal(found, wanted, err_msg=f"{name} {names}")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("lightgbm", {"linear_tree": True, "n_trees": 2}),
        ("xgboost", {"booster": "gblinear", "n_trees": 2}),
        ("catboost", {"feature_border_type": "Uniform", "n_trees": 2}),
        ("catboost", {"nan_mode": "Max", "n_trees": 2}),
        ("catboost", {"per_float_feature_quantization": ["0:border_count=8"], "n_trees": 2}),
        ("catboost", {"dev_max_subset_size_for_build_borders": 500, "n_trees": 2}),
    ],
)
def test_what_is_not_known_to_be_the_same_is_not_reused(
    sample: Sample, name: str, parameters: dict[str, object]
) -> None:
    learner = type(get_learner(name, {})).configured(parameters)
    assert prepared(learner, sample, sets_of(sample.matrix.space), seed=0, threads=1) is None


def test_catboost_draws_rows_for_borders_of_very_many(sample: Sample) -> None:
    rows = np.arange(200_001) % ROWS
    many = Sample(sample.matrix.rows(rows), sample.target[rows], None)
    learner = get_learner("catboost", {"n_trees": 2})
    assert prepared(learner, many, sets_of(sample.matrix.space), seed=0, threads=1) is None


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "catboost", "logistic"])
def test_sets_of_which_nothing_varies_are_shared_like_others(sample: Sample, name: str) -> None:
    learner, sets = get_learner(name, {}), [("constant",), ("single",), ("constant", "single")]
    space = sample.matrix.space.restricted(sets[-1])
    constants = Sample(Matrix(space, sample.matrix.for_model(space)), sample.target, None)
    fit = share(learner, constants, sets, seed=5, threads=1)
    for names in sets:
        part = space.restricted(names)
        alone = Matrix(part, sample.matrix.for_model(part))
        wanted = learner.fit(alone, sample.target, seed=5, threads=1).predict(alone, threads=1)
        assert np.array_equal(fit(part).predict(alone, threads=1), wanted)
        assert len(set(wanted)) == 1
