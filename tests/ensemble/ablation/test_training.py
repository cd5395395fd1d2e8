"""Out-of-fold scores of variants: resumed, shared among processes, and as the ordinary way makes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ensemble.ablation import Training, Variant, train_variants
from ensemble.learners import get_learner
from ensemble.matrix import FeatureSpace
from ensemble.model_store import ModelStore, Slot
from ensemble.out_of_fold import Plan, score_out_of_fold, train

ROWS = 900
Trained = list[tuple[str, int]]


@pytest.fixture
def training(tmp_path: Path) -> Training:
    """Two repeats, two seeds, drawn benign rows, weights, noise, and a learner that may not see everything."""
    chance = np.random.default_rng(0)
    columns = {f"x{place}": chance.normal(size=ROWS).astype(np.float32) for place in range(6)}
    ids = [f"L{row}" for row in range(ROWS)]
    frame = pl.DataFrame({"isic_id": ids, **columns})
    target = (columns["x0"] + columns["x3"] + chance.normal(size=ROWS) > 2).astype(np.int8)
    plan = Plan(
        {"lightgbm": get_learner("lightgbm", {"n_trees": 4}), "xgboost": get_learner("xgboost", {"n_trees": 3})},
        [(np.arange(ROWS) % 3).astype(np.int8), (np.arange(ROWS) // 300).astype(np.int8)],
        (0, 7),
        3.0,
        {"features": "a", "folds": "b"},
        features={"xgboost": ("x0", "x1", "x3")},
        weight=np.linspace(0.5, 1.5, ROWS),
        noise={"x3": 0.2},
    )
    return Training(plan, FeatureSpace.fit(frame).encode(frame), target, ids, tmp_path)


VARIANTS = [
    Variant("all", "all", ("x0", "x1", "x2", "x3", "x4", "x5")),
    Variant("without a", "without", ("x0", "x2", "x3")),
    Variant("only b", "only", ("x4", "x5")),
]


def trained(training: Training, *, workers: int = 1) -> tuple[dict[str, dict[str, np.ndarray]], Trained]:
    told: Trained = []

    def tell(slot: Slot, models: int, seconds: float) -> None:
        told.append((f"{slot.learner}/{slot.name}", models))

    return train_variants(training, VARIANTS, workers=workers, threads=2, progress=tell), told


def same(first: dict[str, dict[str, np.ndarray]], second: dict[str, dict[str, np.ndarray]]) -> bool:
    return first.keys() == second.keys() and all(
        first[name].keys() == second[name].keys()
        and all(np.array_equal(first[name][learner], second[name][learner]) for learner in first[name])
        for name in first
    )


def test_as_the_ordinary_way(training: Training, tmp_path: Path) -> None:
    found, told = trained(training)
    assert sum(models for _, models in told) == (3 + 2) * 2 * 3 * 2  # variants of both learners; repeats, folds, seeds
    seen = {
        "all": {"lightgbm": VARIANTS[0].features, "xgboost": ("x0", "x1", "x3")},
        "without a": {"lightgbm": ("x0", "x2", "x3"), "xgboost": ("x0", "x3")},
        "only b": {"lightgbm": ("x4", "x5")},  # XGBoost may see neither
    }
    for name, features in seen.items():
        plan = replace(
            training.plan,
            learners={learner: training.plan.learners[learner] for learner in features},
            features=features,
        )
        store = ModelStore(tmp_path / name / "models")
        train(plan, training.matrix, training.target, store, threads=1, progress=lambda _slot, _there: None)
        wanted = score_out_of_fold(plan, training.matrix, store, threads=1)
        assert same({name: found[name]}, {name: wanted})


def test_only_what_is_missing_is_trained_again(training: Training) -> None:
    found, _ = trained(training)
    again, told = trained(training)
    assert told == []
    assert same(found, again)
    (training.folder / "scores" / "without-a.parquet").unlink()
    once_more, told = trained(training)
    assert {models for _, models in told} == {1}
    assert same(found, once_more)
    assert sorted(path.name for path in training.folder.iterdir()) == ["scores"]


def test_a_killed_ablation_goes_on_within_a_variant(training: Training) -> None:
    class KilledError(Exception):
        pass

    def kill(slot: Slot, models: int, seconds: float) -> None:
        if slot.learner == "xgboost":
            raise KilledError

    with pytest.raises(KilledError):
        train_variants(training, VARIANTS, workers=1, threads=1, progress=kill)
    assert [path.name for path in training.folder.iterdir()] == ["cells"]
    found, told = trained(training)
    # LightGBM's 12 slots and one of XGBoost's were done.
    assert len(told) == 11
    assert {name.split("/")[0] for name, _ in told} == {"xgboost"}
    whole, _ = trained(replace(training, folder=training.folder / "whole"))
    assert same(found, whole)


def test_other_parameters_other_scores(training: Training) -> None:
    found, _ = trained(training)
    changed = {**training.plan.learners, "xgboost": get_learner("xgboost", {"n_trees": 5})}
    other, told = trained(replace(training, plan=replace(training.plan, learners=changed)))
    # Of a variant whose learner changed, all is trained again; "only b" has LightGBM alone and is kept.
    assert {models for _, models in told} == {2}
    assert np.array_equal(found["all"]["lightgbm"], other["all"]["lightgbm"])
    assert not np.array_equal(found["all"]["xgboost"], other["all"]["xgboost"])


def test_processes_change_no_bit(training: Training) -> None:
    alone, _ = trained(training)
    together, told = trained(replace(training, folder=training.folder / "together"), workers=2)
    assert sum(models for _, models in told) == 60
    assert [slot for slot, _ in told].count("xgboost/repeat1-fold2-seed7") == 2  # the last one is shared by both
    assert same(alone, together)


def test_known_scores_are_not_trained(training: Training) -> None:
    whole, _ = trained(training)
    elsewhere = replace(training, folder=training.folder / "elsewhere")
    told: Trained = []
    found = train_variants(
        elsewhere,
        VARIANTS,
        known={"all": whole["all"]},
        workers=1,
        threads=1,
        progress=lambda slot, models, _seconds: told.append((slot.name, models)),
    )
    assert sum(models for _, models in told) == 60 - 24
    assert same(found, whole)
