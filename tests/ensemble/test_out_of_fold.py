"""Training by fold, kept models, and what resumes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import InputError
from engine.executors import LocalExecutor
from engine.results import ResultStore
from ensemble.jobs import JobRunner, Table
from ensemble.learners import get_learner
from ensemble.matrix import FeatureSpace
from ensemble.model_store import ModelStore, Slot
from ensemble.out_of_fold import Plan, apply_out_of_fold, plan_jobs, score_out_of_fold, train
from ensemble.sampling import sample_rows
from tests.ensemble.jobs.executors import Remembering, made_by
from tests.ensemble.learners.contract import lesions

N = 600
FRAME, TARGET = lesions(N)
MATRIX = FeatureSpace.fit(FRAME).encode(FRAME)
TABLE = Table(MATRIX, TARGET)
FOLD = (np.arange(N) % 3).astype(np.int8)


def plan(
    *, trees: int = 5, seeds: tuple[int, ...] = (0,), repeats: int = 1, learners: tuple[str, ...] = ("lightgbm",)
) -> Plan:
    fitted = {name: get_learner(name, {"n_trees": trees}) for name in learners}
    return Plan(fitted, [np.roll(FOLD, repeat) for repeat in range(repeats)], seeds, 2.0)


def runner(folder: Path) -> JobRunner:
    return JobRunner(ResultStore(folder / "results"), Remembering())


def trained(wanted: Plan, folder: Path, table: Table = TABLE) -> list[str]:
    """Train into a folder; what had to be made."""
    with_what = runner(folder)
    train(wanted, table, with_what, store=ModelStore(folder / "models"))
    return made_by(with_what)


def test_each_lesion_is_scored_by_models_that_never_saw_it(tmp_path: Path) -> None:
    wanted = plan(seeds=(0, 1), repeats=2)
    trained(wanted, tmp_path)
    store = ModelStore(tmp_path / "models")
    scores = score_out_of_fold(wanted, TABLE, runner(tmp_path))["lightgbm"]
    row = 7
    mine = [slot for slot in store.slots() if wanted.assignments[slot.repeat][row] == slot.fold]
    assert len(mine) == 4  # two repeats, two seeds
    assert not any(row in plan_jobs(wanted, TABLE)[slot].train for slot in mine)
    alone = MATRIX.rows(np.array([row]))
    parts = [store.load(slot).predict(alone, threads=1)[0] for slot in mine]
    assert scores[row] == pytest.approx(np.mean(parts), abs=1e-15)
    np.testing.assert_allclose(
        apply_out_of_fold(wanted, MATRIX, store, threads=2)["lightgbm"], scores, rtol=0, atol=1e-15
    )


def test_a_seed_draws_its_own_part_of_the_benign(tmp_path: Path) -> None:
    jobs = plan_jobs(plan(seeds=(0, 1), learners=("lightgbm", "xgboost")), TABLE)
    one, other = (jobs[Slot("lightgbm", 0, 1, seed)].train for seed in (0, 1))
    others = np.flatnonzero(FOLD != 1)
    drawn = sample_rows(TARGET[others], benign_per_malignant=2.0, seed=(0, 0, 1))
    assert np.array_equal(one, others[drawn])
    assert not np.array_equal(one, other)
    assert np.array_equal(one, jobs[Slot("xgboost", 0, 1, 0)].train)


def test_labels_of_a_fold_do_not_change_its_scores(tmp_path: Path) -> None:
    flipped = TARGET.copy()
    flipped[FOLD == 1] = 1 - flipped[FOLD == 1]
    first, second = (
        score_out_of_fold(plan(), Table(MATRIX, target), runner(tmp_path))["lightgbm"] for target in (TARGET, flipped)
    )
    assert np.array_equal(first[FOLD == 1], second[FOLD == 1])
    assert not np.array_equal(first[FOLD == 0], second[FOLD == 0])


def test_models_trained_side_by_side_are_those_trained_one_by_one(tmp_path: Path) -> None:
    wanted = plan(seeds=(0, 1), learners=("lightgbm", "xgboost", "catboost"))
    wanted = replace(wanted, learners={**wanted.learners, "logistic": get_learner("logistic", {})})
    for cores in (1, 8):
        folder = tmp_path / str(cores)
        with_what = JobRunner(ResultStore(folder / "results"), LocalExecutor(cores))
        train(wanted, TABLE, with_what, store=ModelStore(folder / "models"))
    one, eight = (
        {str(path.relative_to(tmp_path / cores)): path.read_bytes() for path in (tmp_path / cores).rglob("*.*")}
        for cores in ("1", "8")
    )
    assert len(one) == 24 + 24 + 1  # results, models and their list
    assert one == eight


def test_a_second_start_trains_nothing(tmp_path: Path) -> None:
    assert len(trained(plan(), tmp_path)) == 3
    assert trained(plan(), tmp_path) == []
    with_what = runner(tmp_path)
    score_out_of_fold(plan(), TABLE, with_what)
    assert made_by(with_what) == []


def test_a_new_seed_or_learner_keeps_what_is_there(tmp_path: Path) -> None:
    trained(plan(), tmp_path)
    made = trained(plan(seeds=(0, 1), learners=("lightgbm", "xgboost")), tmp_path)
    assert len(made) == 9
    assert not any(label in made for label in ("lightgbm/fold0-seed0", "lightgbm/fold1-seed0", "lightgbm/fold2-seed0"))


def test_another_parameter_trains_again(tmp_path: Path) -> None:
    trained(plan(), tmp_path)
    assert len(trained(plan(trees=6), tmp_path)) == 3


def test_other_weights_make_other_models(tmp_path: Path) -> None:
    trained(plan(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.rglob("*.txt")}
    weighed = Table(MATRIX, TARGET, np.where(TARGET == 1, 3.0, 1.0))
    assert len(trained(plan(), tmp_path, weighed)) == 3
    assert all(path.read_bytes() != before[path.name] for path in tmp_path.rglob("*.txt"))
    scores = [score_out_of_fold(plan(), table, runner(tmp_path))["lightgbm"].mean() for table in (TABLE, weighed)]
    assert scores[1] > scores[0]


def test_noise_makes_other_models(tmp_path: Path) -> None:
    noisy = replace(plan(), noise={MATRIX.space.names[0]: 0.5})
    plain, blurred = (score_out_of_fold(each, TABLE, runner(tmp_path))["lightgbm"] for each in (plan(), noisy))
    assert not np.array_equal(plain, blurred)


@pytest.mark.parametrize("damage", ["missing", "truncated", "changed"])
def test_a_damaged_model_is_refused_at_loading_and_trained_again(tmp_path: Path, damage: str) -> None:
    trained(plan(), tmp_path)
    path = tmp_path / "models" / "lightgbm" / "fold1-seed0.txt"
    whole = path.read_bytes()
    {
        "missing": path.unlink,
        "truncated": lambda: path.write_bytes(whole[: len(whole) // 2]),
        "changed": lambda: path.write_bytes(whole.replace(b"leaf_value", b"leaf_valve", 1)),
    }[damage]()
    with pytest.raises(InputError, match=r"missing|damaged"):
        apply_out_of_fold(plan(), MATRIX, ModelStore(tmp_path / "models"), threads=2)
    assert trained(plan(), tmp_path) == ["lightgbm/fold1-seed0"]
    assert path.read_bytes() == whole


def test_two_members_with_equal_parameters_have_a_model_each(tmp_path: Path) -> None:
    twins = replace(plan(), learners={name: get_learner("lightgbm", {"n_trees": 5}) for name in ("one", "other")})
    assert len(trained(twins, tmp_path)) == 3
    for fold in range(3):
        one, other = (tmp_path / "models" / name / f"fold{fold}-seed0.txt" for name in twins.learners)
        assert one.read_bytes() == other.read_bytes()
    scores = score_out_of_fold(twins, TABLE, runner(tmp_path))
    assert np.array_equal(scores["one"], scores["other"])


def test_other_features_forget_the_old_models(tmp_path: Path) -> None:
    trained(plan(), tmp_path)
    store = ModelStore(tmp_path / "models")
    store.begin(FeatureSpace.fit(FRAME.drop("colour")), [])
    assert ModelStore(tmp_path / "models").slots() == []


def test_a_store_without_models_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no model lightgbm/fold0-seed0"):
        ModelStore(tmp_path).load(Slot("lightgbm", 0, 0, 0))


def test_the_store_knows_the_features(tmp_path: Path) -> None:
    trained(plan(), tmp_path)
    assert ModelStore(tmp_path / "models").space == MATRIX.space


def test_a_learner_may_see_some_of_the_features(tmp_path: Path) -> None:
    narrow = replace(plan(learners=("lightgbm", "xgboost")), features={"xgboost": ("site", "colour")})
    trained(narrow, tmp_path)
    store = ModelStore(tmp_path / "models")
    assert store.load(Slot("xgboost", 0, 1, 0)).space.names == ("colour", "site")
    assert {job.columns for slot, job in plan_jobs(narrow, TABLE).items() if slot.learner == "xgboost"} == {
        ("colour", "site")  # in the order of the table, as are the shares of `Outcome.gain`
    }
    scores = score_out_of_fold(narrow, TABLE, runner(tmp_path))
    less = FeatureSpace.fit(FRAME.select("isic_id", "colour", "site")).encode(FRAME)
    with_what = runner(tmp_path)
    alone = score_out_of_fold(plan(learners=("xgboost",)), Table(less, TARGET), with_what)
    assert made_by(with_what) == []  # the same jobs, though of another table
    assert np.array_equal(scores["xgboost"], alone["xgboost"])
    elsewhere = score_out_of_fold(plan(learners=("xgboost",)), Table(less, TARGET), runner(tmp_path / "elsewhere"))
    assert np.array_equal(scores["xgboost"], elsewhere["xgboost"])


def test_an_unknown_feature_of_a_learner_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no features taste"):
        trained(replace(plan(), features={"lightgbm": ("taste",)}), tmp_path)
