"""The contract, for each learner."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from catboost import core
from xgboost import DMatrix, train

from engine.errors import InputError
from ensemble.learners import LEARNERS, Learner, Parameters, catboost, get_learner, xgboost
from ensemble.learners.catboost import TRAINING_THREADS
from ensemble.learners.logistic import LogisticModel
from ensemble.matrix import FeatureSpace, Matrix
from tests.ensemble.learners.contract import LearnerContract, lesions


class TestLightGBM(LearnerContract):
    name = "lightgbm"
    fixed = "deterministic"
    aliases: ClassVar[Mapping[str, str]] = {
        "eta": "learning_rate",
        "reg_lambda": "lambda_l2",
        "num_iterations": "n_trees",
        "n_estimators": "n_trees",
        "min_split_gain": "min_gain_to_split",
    }


class TestXGBoost(LearnerContract):
    name = "xgboost"
    fixed = "tree_method"
    aliases: ClassVar[Mapping[str, str]] = {
        alias: name for alias, name in xgboost._ALIASES.items() if name not in xgboost._OURS
    }

    def test_the_library_takes_an_alias_for_its_parameter(self) -> None:
        rows = np.random.default_rng(0).normal(size=(200, 3))
        data = DMatrix(rows[:, :2], label=rows.sum(axis=1) > 0)
        before = train({}, data, 2).save_raw()
        for alias, name in self.aliases.items():
            by_alias, by_name = (train({each: 3.0}, data, 2).save_raw() for each in (alias, name))
            assert by_alias == by_name != before


class TestCatBoost(LearnerContract):
    name = "catboost"
    fixed = "allow_writing_files"
    aliases: ClassVar[Mapping[str, str]] = {
        alias: name
        for alias, name in catboost._ALIASES.items()
        if name not in (*catboost._OURS, *catboost._FIXED, "od_wait")
    }

    def test_the_library_has_no_other_aliases(self) -> None:
        groups = re.findall(r"_process_synonyms_group\((\[.*?\])", inspect.getsource(core._process_synonyms_groups))
        names = [json.loads(group.replace("'", '"')) for group in groups]
        listed = {alias: first for first, *others in names for alias in others}
        ours = {alias: name for alias, name in self.aliases.items() if name != "n_trees"}
        trees = {alias: "iterations" for alias in self.aliases if self.aliases[alias] == "n_trees"}
        trees.pop("iterations")
        refused = {"random_state": "random_seed", "early_stopping_rounds": "od_wait"}
        assert ours | trees | refused == listed

    def test_the_number_of_threads_that_train_is_not_the_callers(
        self, learner: Learner, matrix: Matrix, target: npt.NDArray[np.int8]
    ) -> None:
        """On ISIC 2020 the library's model differs by it: equally good splits come in another order."""
        boosters = [learner.fit(matrix, target, seed=0, threads=threads).booster for threads in (1, 3)]
        assert [booster.get_param("thread_count") for booster in boosters] == [TRAINING_THREADS] * 2


class TestLogistic(LearnerContract):
    name = "logistic"
    quick: ClassVar[Parameters] = {"max_iter": 50}
    wrong: ClassVar[tuple[Parameters, ...]] = ({"penalti": 1}, {"C": "much"})
    fixed = "solver"
    seeded = False
    unused = 1e-3


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "catboost", "logistic"])
def test_a_model_that_uses_nothing_gains_nothing(name: str) -> None:
    table = pl.DataFrame({"isic_id": [str(row) for row in range(600)], "constant": 1.0, "half": [0.5] * 600})
    model = get_learner(name, {}).fit(FeatureSpace.fit(table).encode(table), lesions()[1], seed=0, threads=1)
    assert model.gain().tolist() == [0, 0]


def test_every_learner_is_under_the_contract() -> None:
    assert {contract.name for contract in LearnerContract.__subclasses__()} == set(LEARNERS)


def test_an_unknown_learner_names_the_nearest() -> None:
    with pytest.raises(InputError, match="lightgbm"):
        get_learner("lightbgm", {})


@pytest.mark.parametrize(
    ("learner", "alias"),
    [("lightgbm", "loss"), ("lightgbm", "nthreads"), ("xgboost", "random_state"), ("catboost", "objective")],
)
def test_another_name_of_what_is_fixed_is_refused_too(learner: str, alias: str) -> None:
    with pytest.raises(InputError, match=f"{alias} is fixed"):
        get_learner(learner, {alias: 1})


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("name", ["early_stopping_round", "early_stopping_rounds", "od_wait", "use_best_model"])
def test_early_stopping_is_refused_by_every_learner_with_the_option_that_exists(learner: str, name: str) -> None:
    with pytest.raises(InputError, match=rf"{name}: there is no early stopping.*set n_trees, or let `uglyduck tune`"):
        get_learner(learner, {name: 10})


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize(("name", "value"), [("device", "cuda"), ("device_type", "gpu"), ("task_type", "GPU")])
def test_another_device_is_refused_by_every_learner(learner: str, name: str, value: str) -> None:
    for given in (value, "cpu"):
        with pytest.raises(InputError, match=rf"{name}: learners train on the CPU.*see \[images\] device"):
            get_learner(learner, {name: given})


def test_a_misspelt_lightgbm_parameter_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'learning_rate'"):
        get_learner("lightgbm", {"learning_rte": 0.1})


def test_a_learner_of_another_package_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "another.py").write_text(
        "from ensemble.learners import Logistic\n\n\nclass Another(Logistic):\n    name = 'another'\n"
    )
    information = tmp_path / "another-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: another\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        "[uglyduck.learners]\nanother = another:Another\nlightgbm = another:Another\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    learner = get_learner("another", {})
    assert learner.name == "another"
    assert get_learner("lightgbm", {}).name == "lightgbm"  # ours, whoever announces the same name
    with pytest.raises(InputError, match="use another"):
        get_learner("anothr", {})


def test_logistic_regression_scores_by_its_formula() -> None:
    frame, target = lesions()
    matrix = FeatureSpace.fit(frame).encode(frame)
    learner = get_learner("logistic", {"C": 1.0})
    model = learner.fit(matrix, target, seed=0, threads=1)
    assert isinstance(model, LogisticModel)
    size = matrix.values[:, 0].astype(np.float64)
    colour = np.nan_to_num((matrix.values[:, 1] - np.nanmean(matrix.values[:, 1])) / np.nanstd(matrix.values[:, 1]))
    site = matrix.values[:, 2]
    columns = [
        np.clip((size - size.mean()) / size.std(), -4, 4),
        np.clip(colour, -4, 4),
        *(site == k for k in range(3)),
    ]
    margin = model.intercept + sum(b * x for b, x in zip(model.coefficients, columns, strict=True))
    np.testing.assert_allclose(model.predict(matrix, threads=1), 1 / (1 + np.exp(-margin)), rtol=1e-5)
