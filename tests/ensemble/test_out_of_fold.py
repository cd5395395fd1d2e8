"""Fitting by fold, the model store, and what resumes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.errors import InputError
from ensemble.learners import get_learner
from ensemble.matrix import FeatureSpace
from ensemble.model_store import ModelStore, Slot
from ensemble.out_of_fold import Plan, load_models, score_new, score_out_of_fold, train
from tests.ensemble.learners.contract import lesions

N = 600
FRAME, TARGET = lesions(N)
MATRIX = FeatureSpace.fit(FRAME).encode(FRAME)
FOLD = (np.arange(N) % 3).astype(np.int8)


def plan(
    *, trees: int = 5, seeds: tuple[int, ...] = (0,), repeats: int = 1, learners: tuple[str, ...] = ("lightgbm",)
) -> Plan:
    fitted = {name: get_learner(name, {"n_trees": trees}) for name in learners}
    assignments = [np.roll(FOLD, repeat) for repeat in range(repeats)]
    return Plan(fitted, assignments, seeds, 2.0, {"features": "x"})


def run(wanted: Plan, folder: Path) -> list[tuple[str, bool]]:
    told: list[tuple[str, bool]] = []

    def progress(slot: Slot, there: bool) -> None:
        told.append((f"{slot.learner}/{slot.name}", there))

    train(wanted, MATRIX, TARGET, ModelStore(folder), threads=2, progress=progress)
    return told


def test_each_lesion_is_scored_by_models_that_never_saw_it(tmp_path: Path) -> None:
    wanted = plan(seeds=(0, 1), repeats=2)
    run(wanted, tmp_path)
    store = ModelStore(tmp_path)
    scores = score_out_of_fold(wanted, MATRIX, store, threads=2)["lightgbm"]
    row = 7
    mine = [slot for slot in store.slots() if wanted.assignments[slot.repeat][row] == slot.fold]
    assert len(mine) == 4  # two repeats, two seeds
    alone = MATRIX.rows(np.array([row]))
    parts = [store.load(slot, wanted.learners["lightgbm"]).predict(alone, threads=1)[0] for slot in mine]
    assert scores[row] == pytest.approx(np.mean(parts), abs=1e-15)


def test_labels_of_a_fold_do_not_change_its_scores(tmp_path: Path) -> None:
    wanted = plan()
    run(wanted, tmp_path / "a")
    flipped = TARGET.copy()
    flipped[FOLD == 1] = 1 - flipped[FOLD == 1]
    train(wanted, MATRIX, flipped, ModelStore(tmp_path / "b"), threads=2, progress=lambda *_: None)
    scores = [score_out_of_fold(wanted, MATRIX, ModelStore(tmp_path / x), threads=2)["lightgbm"] for x in "ab"]
    assert np.array_equal(scores[0][FOLD == 1], scores[1][FOLD == 1])
    assert not np.array_equal(scores[0][FOLD == 0], scores[1][FOLD == 0])


def test_models_trained_side_by_side_are_those_trained_one_by_one(tmp_path: Path) -> None:
    wanted = plan(seeds=(0, 1), learners=("lightgbm", "xgboost", "catboost"))
    wanted = replace(wanted, learners={**wanted.learners, "logistic": get_learner("logistic", {})})
    for threads in (1, 8):
        store = ModelStore(tmp_path / str(threads))
        train(wanted, MATRIX, TARGET, store, threads=threads, progress=lambda *_: None)
    one, eight = ({path.name: path.read_bytes() for path in (tmp_path / each).rglob("*.*")} for each in ("1", "8"))
    assert len(one) == 25  # 24 models and their list
    assert one == eight


def test_a_second_start_trains_nothing(tmp_path: Path) -> None:
    assert [there for _, there in run(plan(), tmp_path)] == [False] * 3
    assert [there for _, there in run(plan(), tmp_path)] == [True] * 3


def test_a_new_seed_or_learner_keeps_what_is_there(tmp_path: Path) -> None:
    run(plan(), tmp_path)
    told = run(plan(seeds=(0, 1), learners=("lightgbm", "xgboost")), tmp_path)
    assert sum(there for _, there in told) == 3
    assert len(told) == 12


def test_another_parameter_trains_again(tmp_path: Path) -> None:
    run(plan(), tmp_path)
    assert not any(there for _, there in run(plan(trees=6), tmp_path))


@pytest.mark.parametrize("damage", ["missing", "truncated", "changed"])
def test_a_damaged_model_is_refused_at_loading_and_trained_again(tmp_path: Path, damage: str) -> None:
    run(plan(), tmp_path)
    path = tmp_path / "lightgbm" / "fold1-seed0.txt"
    whole = path.read_bytes()
    {
        "missing": path.unlink,
        "truncated": lambda: path.write_bytes(whole[: len(whole) // 2]),
        "changed": lambda: path.write_bytes(whole.replace(b"leaf_value", b"leaf_valve", 1)),
    }[damage]()
    with pytest.raises(InputError, match=r"missing|damaged"):
        score_out_of_fold(plan(), MATRIX, ModelStore(tmp_path), threads=2)
    assert [there for _, there in run(plan(), tmp_path)] == [True, False, True]
    assert path.read_bytes() == whole


def test_new_lesions_get_the_mean_of_all_models(tmp_path: Path) -> None:
    wanted = plan(seeds=(0, 1))
    run(wanted, tmp_path)
    store = ModelStore(tmp_path)
    models = load_models(wanted.learners, store)
    scores = score_new(models, MATRIX, threads=2)["lightgbm"]
    assert len(models["lightgbm"]) == 6
    each = [model.predict(MATRIX, threads=2) for model in models["lightgbm"]]
    np.testing.assert_allclose(scores, np.mean(each, axis=0), rtol=0, atol=1e-15)


def test_other_features_forget_the_old_models(tmp_path: Path) -> None:
    run(plan(), tmp_path)
    store = ModelStore(tmp_path)
    store.begin(FeatureSpace.fit(FRAME.drop("colour")), [])
    assert ModelStore(tmp_path).slots() == []


def test_a_store_without_models_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no model lightgbm/fold0-seed0"):
        ModelStore(tmp_path).load(Slot("lightgbm", 0, 0, 0), get_learner("lightgbm", {}))


def test_the_feature_table_keeps_its_names(tmp_path: Path) -> None:
    run(plan(), tmp_path)
    space = ModelStore(tmp_path).space
    assert space is not None
    assert space.names == tuple(pl.Series(FRAME.columns).filter(pl.Series(FRAME.columns) != "isic_id"))


def test_a_learner_may_see_some_of_the_features(tmp_path: Path) -> None:
    whole = plan(learners=("lightgbm", "xgboost"))
    narrow = replace(whole, features={"xgboost": ("site", "colour")})
    run(narrow, tmp_path)
    store = ModelStore(tmp_path)
    assert store.load(Slot("xgboost", 0, 1, 0), whole.learners["xgboost"]).space.names == ("colour", "site")
    scores = score_out_of_fold(narrow, MATRIX, store, threads=2)
    again = replace(plan(learners=("xgboost",)), identity={"features": "y"})
    less = FeatureSpace.fit(FRAME.select("isic_id", "colour", "site")).encode(FRAME)
    train(again, less, TARGET, ModelStore(tmp_path / "less"), threads=2, progress=lambda *_: None)
    expected = score_out_of_fold(again, less, ModelStore(tmp_path / "less"), threads=2)
    assert np.array_equal(scores["xgboost"], expected["xgboost"])


def test_an_unknown_feature_of_a_learner_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no features taste"):
        run(replace(plan(), features={"lightgbm": ("taste",)}), tmp_path)


def test_row_weights_and_noise_make_other_models(tmp_path: Path) -> None:
    size = MATRIX.space.names[0]
    plans = {
        "plain": plan(),
        "weighed": replace(plan(), weight=np.where(TARGET == 1, 3.0, 1.0), identity={"features": "w"}),
        "noisy": replace(plan(), noise={size: 0.5}),
    }
    scores = {}
    for name, wanted in plans.items():
        run(wanted, tmp_path / name)
        scores[name] = score_out_of_fold(wanted, MATRIX, ModelStore(tmp_path / name), threads=2)["lightgbm"]
    assert scores["weighed"].mean() > scores["plain"].mean()
    assert not np.array_equal(scores["noisy"], scores["plain"])
    assert plans["noisy"].fingerprint(plans["noisy"].slots()[0]) != plan().fingerprint(plan().slots()[0])
