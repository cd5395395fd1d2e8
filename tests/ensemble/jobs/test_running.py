"""Jobs are done once, whoever asks, and their outcomes depend on nothing but the jobs."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from engine.executors import Executor, LocalExecutor
from engine.results import ResultStore
from ensemble.jobs import Job, JobRunner, Outcome, Table
from ensemble.jobs.fitting import batches
from ensemble.learners import get_learner
from ensemble.matrix import FeatureSpace
from ensemble.sampling import with_noise
from tests.ensemble.jobs.executors import InProcesses, KilledError, Remembering, made_by
from tests.ensemble.learners.contract import lesions

FRAME, TARGET = lesions(400)
MATRIX = FeatureSpace.fit(FRAME).encode(FRAME)
WEIGHT = np.linspace(0.5, 1.5, 400)
TABLE = Table(MATRIX, TARGET, WEIGHT)
SIZE, COLOUR, SITE = MATRIX.space.names
ROWS = np.arange(400)
LEARNERS = {
    "lightgbm": get_learner("lightgbm", {"n_trees": 5, "min_data_in_leaf": 10}),
    "xgboost": get_learner("xgboost", {"n_trees": 5}),
    "catboost": get_learner("catboost", {"n_trees": 5}),
    "logistic": get_learner("logistic", {"max_iter": 50}),
}
SETS = {"all": (SIZE, COLOUR, SITE), "numbers": (SIZE, COLOUR), "site": (SITE,)}


def job(learner: str = "lightgbm", columns: str = "all", fold: int = 0) -> Job:
    train, score = np.flatnonzero(fold != ROWS % 2), np.flatnonzero(fold == ROWS % 2)
    label = f"{learner} {columns} {fold}"
    return Job(label, LEARNERS[learner], SETS[columns], train, score, 3, {COLOUR: 0.2}, (3, fold))


JOBS = [job(learner, columns, fold) for learner in LEARNERS for columns in SETS for fold in (0, 1)]


def runner(folder: Path, executor: Executor | None = None) -> JobRunner:
    return JobRunner(ResultStore(folder), executor or Remembering())


def run(jobs: list[Job], with_what: JobRunner, table: Table = TABLE) -> list[Outcome]:
    return list(with_what.run(jobs, table, title="test"))


def same(first: list[Outcome], second: list[Outcome]) -> bool:
    return all(
        np.array_equal(one.scores, other.scores) and np.array_equal(one.gain, other.gain)
        for one, other in zip(first, second, strict=True)
    )


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    return run(JOBS, runner(tmp_path_factory.mktemp("expected"), LocalExecutor(1)))


def test_an_outcome_is_what_the_learner_itself_gives(expected: list[Outcome]) -> None:
    for wanted, outcome in zip(JOBS, expected, strict=True):
        seen = with_noise(MATRIX.part(wanted.train, wanted.columns), wanted.noise, seed=wanted.draw)
        weight: npt.NDArray[np.float64] = WEIGHT[wanted.train]
        model = wanted.learner.fit(seen, TARGET[wanted.train], seed=wanted.seed, threads=1, weight=weight)
        assert np.array_equal(outcome.scores, model.predict(MATRIX.rows(wanted.score), threads=1)), wanted.label
        assert np.array_equal(outcome.gain, model.gain()), wanted.label


@pytest.mark.parametrize("executor", [LocalExecutor(4), InProcesses()], ids=["threads", "processes"])
def test_outcomes_do_not_depend_on_who_does_them(tmp_path: Path, executor: Executor, expected: list[Outcome]) -> None:
    assert same(run(JOBS, runner(tmp_path, executor)), expected)


def test_outcomes_do_not_depend_on_what_was_there(tmp_path: Path, expected: list[Outcome]) -> None:
    run(JOBS[::3], runner(tmp_path))
    again = runner(tmp_path)
    assert same(run(JOBS, again), expected)
    assert sorted(made_by(again)) == sorted(job.label for job in set(JOBS) - set(JOBS[::3]))
    third = runner(tmp_path)
    assert same(run(JOBS[::-1], third), expected[::-1])
    assert made_by(third) == []


def test_jobs_of_one_name_are_done_once(tmp_path: Path) -> None:
    first = runner(tmp_path)
    one, other = run([job(), replace(job(), label="another")], first)
    assert len(made_by(first)) == 1
    assert same([one], [other])


@pytest.mark.parametrize("damage", ["cut", "empty", "changed"])
def test_a_damaged_result_is_made_again(tmp_path: Path, damage: str) -> None:
    jobs = [job(fold=fold) for fold in (0, 1)]
    found = run(jobs, runner(tmp_path))
    path = ResultStore(tmp_path).path(jobs[1].name(TABLE))
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[:-9], "empty": b"", "changed": whole[:50] + b"?" + whole[51:]}[damage])
    again = runner(tmp_path)
    assert same(run(jobs, again), found)
    assert made_by(again) == [jobs[1].label]
    assert path.read_bytes() == whole


def test_other_weights_train_again(tmp_path: Path) -> None:
    jobs = [job(fold=fold) for fold in (0, 1)]
    found = run(jobs, runner(tmp_path))
    weight = np.where(ROWS % 4 == 1, 0.05, WEIGHT)  # rows of fold 1, which the first job trains on
    again = runner(tmp_path)
    other = run(jobs, again, Table(MATRIX, TARGET, weight))
    assert made_by(again) == [jobs[0].label]
    assert not np.array_equal(found[0].scores, other[0].scores)
    assert same(found[1:], other[1:])


def test_killed_work_goes_on_where_it_was(tmp_path: Path, expected: list[Outcome]) -> None:
    killed = runner(tmp_path, Remembering(dies_after=3))
    with pytest.raises(KilledError):
        run(JOBS, killed)
    done = made_by(killed)
    assert 0 < len(done) < len(JOBS)
    again = runner(tmp_path)
    assert same(run(JOBS, again), expected)
    assert sorted([*done, *made_by(again)]) == sorted(job.label for job in JOBS)


def kept(jobs: list[Job], with_what: JobRunner, wanted: set[int]) -> dict[int, bytes]:
    models: dict[int, bytes] = {}

    def keep(place: int, _name: str) -> object:
        return (lambda content: models.__setitem__(place, content)) if place in wanted else None

    with_what.run(jobs, TABLE, title="test", keep=keep)  # type: ignore[arg-type]
    return models


def test_models_are_made_again_where_only_their_scores_are_there(tmp_path: Path) -> None:
    jobs = [job(fold=fold) for fold in (0, 1)]
    run(jobs, runner(tmp_path))
    again = runner(tmp_path)
    models = kept(jobs, again, {1})
    assert models.keys() == {1}
    assert made_by(again) == [jobs[1].label]
    third = runner(tmp_path)
    run(jobs, third)
    assert made_by(third) == []


def test_equal_jobs_under_two_names_both_get_their_model(tmp_path: Path) -> None:
    with_what = runner(tmp_path)
    models = kept([job(), replace(job(), label="twin")], with_what, {0, 1})
    assert models[0] == models[1]
    assert len(made_by(with_what)) == 1
    assert kept([job(), replace(job(), label="twin")], runner(tmp_path), {1}) == {1: models[1]}


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_kept_model_is_the_same_file_in_any_company(tmp_path: Path, learner: str) -> None:
    jobs = [job(learner, columns) for columns in SETS]
    together = kept(jobs, runner(tmp_path / "together"), set(range(len(jobs))))
    mixed = kept(jobs, runner(tmp_path / "mixed"), {1})
    for place, each in enumerate(jobs):
        seen = with_noise(MATRIX.part(each.train, each.columns), each.noise, seed=each.draw)
        model = each.learner.fit(seen, TARGET[each.train], seed=3, threads=1, weight=WEIGHT[each.train])
        model.save(path := tmp_path / f"model{each.learner.suffix}")
        assert together[place] == path.read_bytes(), each.label
        if place == 1:
            assert mixed == {1: path.read_bytes()}


def test_what_is_there_is_counted_by_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="uglyduck")
    jobs = [job(fold=0), job(fold=0), job(fold=1)]
    run(jobs, runner(tmp_path))
    assert "there already" not in caplog.text
    run([*jobs, job(columns="site")], runner(tmp_path))
    assert "2 of 3 there already" in caplog.text


def test_what_shares_a_sample_is_done_together_and_the_last_is_divided() -> None:
    jobs = {each.label: each for each in (job(learner, columns) for learner in LEARNERS for columns in SETS)}
    together = {label: each.learner.name for label, each in jobs.items()}
    found = batches(jobs, together, at_once=2)
    learners = [[label.split()[0] for label in names] for names in found]
    # CatBoost first; of the four batches the last is for two workers
    assert learners == [["catboost"] * 3, ["lightgbm"] * 3, ["xgboost"] * 3, ["logistic"] * 2, ["logistic"]]
    assert sorted(label for names in found for label in names) == sorted(jobs)
