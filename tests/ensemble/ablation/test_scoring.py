"""Out-of-fold scores of variants: as the ordinary way makes them, and none made twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.executors import LocalExecutor
from engine.results import ResultStore
from ensemble.ablation import Variant, score_variants
from ensemble.jobs import JobRunner, Table
from ensemble.learners import get_learner
from ensemble.matrix import FeatureSpace
from ensemble.model_store import ModelStore
from ensemble.out_of_fold import Plan, score_out_of_fold, train
from tests.ensemble.jobs.executors import KilledError, Remembering, made_by

ROWS = 900
CHANCE = np.random.default_rng(0)
COLUMNS = {f"x{place}": CHANCE.normal(size=ROWS).astype(np.float32) for place in range(6)}
FRAME = pl.DataFrame({"isic_id": [f"L{row}" for row in range(ROWS)], **COLUMNS})
TARGET = (COLUMNS["x0"] + COLUMNS["x3"] + CHANCE.normal(size=ROWS) > 2).astype(np.int8)
TABLE = Table(FeatureSpace.fit(FRAME).encode(FRAME), TARGET, np.linspace(0.5, 1.5, ROWS))
#: Two repeats, two seeds, drawn benign rows, noise, and a learner that may not see everything.
PLAN = Plan(
    {"lightgbm": get_learner("lightgbm", {"n_trees": 4}), "xgboost": get_learner("xgboost", {"n_trees": 3})},
    [(np.arange(ROWS) % 3).astype(np.int8), (np.arange(ROWS) // 300).astype(np.int8)],
    (0, 7),
    3.0,
    features={"xgboost": ("x0", "x1", "x3")},
    noise={"x3": 0.2},
)
VARIANTS = [
    Variant("all", "all", ("x0", "x1", "x2", "x3", "x4", "x5")),
    Variant("without a", "without", ("x0", "x2", "x3")),
    Variant("only b", "only", ("x4", "x5")),
]
SLOTS = 2 * 3 * 2  # repeats, folds, seeds


@pytest.fixture
def runner(tmp_path: Path) -> JobRunner:
    return JobRunner(ResultStore(tmp_path), Remembering())


def again(runner: JobRunner) -> JobRunner:
    return replace(runner, executor=Remembering())


Found = dict[str, dict[str, np.ndarray]]


def same(first: Found, second: Found) -> bool:
    return first.keys() == second.keys() and all(
        first[name].keys() == second[name].keys()
        and all(np.array_equal(first[name][learner], second[name][learner]) for learner in first[name])
        for name in first
    )


def test_as_the_ordinary_way(runner: JobRunner, tmp_path: Path) -> None:
    found = score_variants(PLAN, VARIANTS, TABLE, runner)
    assert len(made_by(runner)) == (3 + 2) * SLOTS  # variants of both learners
    seen = {
        "all": {"lightgbm": VARIANTS[0].features, "xgboost": ("x0", "x1", "x3")},
        "without a": {"lightgbm": ("x0", "x2", "x3"), "xgboost": ("x0", "x3")},
        "only b": {"lightgbm": ("x4", "x5")},  # XGBoost may see neither
    }
    for name, features in seen.items():
        plan = replace(PLAN, learners={learner: PLAN.learners[learner] for learner in features}, features=features)
        alone = JobRunner(ResultStore(tmp_path / name), LocalExecutor(1))
        assert same({name: found[name]}, {name: score_out_of_fold(plan, TABLE, alone)})


def test_all_features_are_the_runs_own_jobs(runner: JobRunner, tmp_path: Path) -> None:
    train(PLAN, TABLE, runner, store=ModelStore(tmp_path / "models"))
    study = again(runner)
    found = score_variants(PLAN, VARIANTS, TABLE, study)
    assert Counter(label.split("/")[0] for label in made_by(study)) == {"lightgbm": 2 * SLOTS, "xgboost": SLOTS}
    assert same({"all": found["all"]}, {"all": score_out_of_fold(PLAN, TABLE, again(runner))})


def test_one_more_variant_trains_that_variant_alone(runner: JobRunner) -> None:
    found = score_variants(PLAN, VARIANTS[:2], TABLE, runner)
    study = again(runner)
    more = score_variants(PLAN, VARIANTS, TABLE, study)
    assert sorted(made_by(study)) == sorted(label for label in made_by(runner) if label.startswith("light"))[::2]
    assert same(found, {name: more[name] for name in found})
    third = again(runner)
    assert same(score_variants(PLAN, VARIANTS[::-1], TABLE, third), more)
    assert made_by(third) == []


def test_a_killed_ablation_goes_on(runner: JobRunner, tmp_path: Path) -> None:
    killed = replace(runner, executor=Remembering(dies_after=7))
    with pytest.raises(KilledError):
        score_variants(PLAN, VARIANTS, TABLE, killed)
    rest = again(runner)
    found = score_variants(PLAN, VARIANTS, TABLE, rest)
    assert made_by(killed)
    assert len(made_by(killed)) + len(made_by(rest)) == 5 * SLOTS
    assert same(
        found, score_variants(PLAN, VARIANTS, TABLE, JobRunner(ResultStore(tmp_path / "whole"), LocalExecutor(2)))
    )


def test_another_parameter_of_one_learner_trains_that_learner_again(runner: JobRunner) -> None:
    found = score_variants(PLAN, VARIANTS, TABLE, runner)
    changed = {**PLAN.learners, "xgboost": get_learner("xgboost", {"n_trees": 5})}
    study = again(runner)
    other = score_variants(replace(PLAN, learners=changed), VARIANTS, TABLE, study)
    assert Counter(label.split("/")[0] for label in made_by(study)) == {"xgboost": 2 * SLOTS}
    assert np.array_equal(found["all"]["lightgbm"], other["all"]["lightgbm"])
    assert not np.array_equal(found["all"]["xgboost"], other["all"]["xgboost"])
