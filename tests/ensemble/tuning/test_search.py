import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from optuna.trial import TrialState

from engine.errors import InputError
from ensemble.tuning import Problem, StudyFolder, Tally, search
from ensemble.tuning.spaces import SPACES
from ensemble.tuning.study import open_study
from ensemble.tuning.trials import draw_trial
from tests.ensemble.tuning.conftest import make_problem


def _trials(folder: Path) -> list[tuple[dict[str, Any], list[float], TrialState]]:
    """Parameters, reports and state of the finished trials."""
    states = (TrialState.COMPLETE, TrialState.PRUNED)
    found = open_study(StudyFolder(folder)).get_trials(states=states)
    return [(one.params, list(one.intermediate_values.values()), one.state) for one in found]


@pytest.fixture(scope="module")
def uninterrupted(problem: Problem, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    search(problem, StudyFolder(folder), trials=14, seed=1)
    return folder


def test_the_same_seed_gives_the_same_trials(problem: Problem, uninterrupted: Path, tmp_path: Path) -> None:
    search(problem, StudyFolder(tmp_path / "again"), trials=14, seed=1)
    search(problem, StudyFolder(tmp_path / "other"), trials=2, seed=2)
    assert _trials(tmp_path / "again") == _trials(uninterrupted)
    assert _trials(tmp_path / "other") != _trials(uninterrupted)[:2]


def test_every_trial_draws_other_values(uninterrupted: Path) -> None:
    assert len({str(parameters) for parameters, _, _ in _trials(uninterrupted)}) == 14


def test_a_search_goes_on_to_the_trials_it_would_have_made(
    problem: Problem, uninterrupted: Path, tmp_path: Path
) -> None:
    search(problem, StudyFolder(tmp_path), trials=5, seed=1)
    search(problem, StudyFolder(tmp_path), trials=13, seed=1)
    tally = search(problem, StudyFolder(tmp_path), trials=14, seed=1)
    assert tally.finished == 14
    assert _trials(tmp_path) == _trials(uninterrupted)


def test_a_trial_cut_off_by_a_kill_counts_as_failed_and_is_run_again(
    problem: Problem, uninterrupted: Path, tmp_path: Path
) -> None:
    folder = StudyFolder(tmp_path)
    search(problem, folder, trials=3, seed=1)
    draw_trial(open_study(folder), problem.space, seed=1, worker=0)  # begun, and never finished
    with folder.journal.open("a") as journal:
        journal.write('{"op_code":4,"wor')  # killed in the middle of a line
    Path(f"{folder.journal}.lock").touch()
    tally = search(problem, folder, trials=14, seed=1)
    assert (tally.finished, tally.failed) == (14, 1)
    assert _trials(tmp_path) == _trials(uninterrupted)


def test_a_trial_that_keeps_dying_is_given_up(problem: Problem, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    for _ in range(3):
        search(problem, folder, trials=0, seed=0)
        draw_trial(open_study(folder), problem.space, seed=0, worker=0)
    search(problem, folder, trials=1, seed=0)
    trials = open_study(folder).get_trials()
    assert [one.state for one in trials] == [TrialState.FAIL] * 3 + [TrialState.COMPLETE]
    assert trials[0].params == trials[1].params == trials[2].params
    assert trials[3].user_attrs.get("attempt") is None


def test_a_hopeless_trial_is_stopped_after_two_folds(problem: Problem, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    search(problem, folder, trials=10, seed=1)
    stump = {"max_depth": 3, "num_leaves": 4, "min_data_in_leaf": 400, "lambda_l1": 10.0, "learning_rate": 0.01}
    open_study(folder).enqueue_trial(stump)
    tally = search(problem, folder, trials=11, seed=1)
    assert (tally.complete, tally.pruned, tally.finished) == (10, 1, 11)
    assert len(_trials(tmp_path)[10][1]) == 2  # of three folds
    assert not folder.scores(10).exists()


def test_values_are_the_mean_over_folds_of_what_is_stored(problem: Problem, uninterrupted: Path) -> None:
    folder = StudyFolder(uninterrupted)
    for trial in open_study(folder).get_trials(states=(TrialState.COMPLETE,)):
        stored = pl.read_parquet(folder.scores(trial.number))
        assert stored["isic_id"].equals(problem.keys["isic_id"])
        assert stored.schema["score"] == pl.Float32
        scores = stored["score"].to_numpy()
        rows = [np.flatnonzero(problem.fold == fold) for fold in range(3)]
        by_fold = [problem.pauc(each, scores[each]) for each in rows]
        assert trial.value == pytest.approx(np.mean(by_fold), abs=1e-15)
        assert trial.user_attrs["pauc_by_fold"] == by_fold


def test_a_folder_of_another_problem_is_refused(problem: Problem, tmp_path: Path) -> None:
    search(problem, StudyFolder(tmp_path), trials=1, seed=0)
    with pytest.raises(InputError, match="delete this folder"):
        search(make_problem(trees=6), StudyFolder(tmp_path), trials=2, seed=0)


def test_a_worker_that_dies_leaves_a_failed_trial_and_the_search_goes_on(tmp_path: Path) -> None:
    problem, folder = make_problem(trees=600), StudyFolder(tmp_path)
    victims = []

    def kill_a_busy_one(_: Tally) -> None:
        children = {child.name: child for child in multiprocessing.active_children()}
        for trial in open_study(folder).get_trials(states=(TrialState.RUNNING,)):
            child = children.get(f"uglyduck-tune-{trial.user_attrs.get('worker')}")
            if child is None or child.pid is None or victims:
                continue
            os.kill(child.pid, signal.SIGSTOP)  # it can not finish its trial while we look again
            stopped = open_study(folder).get_trials()[trial.number]
            if stopped.state is TrialState.RUNNING and len(stopped.params) == len(SPACES["lightgbm"]):
                victims.append(stopped.params)
                child.kill()
            else:
                os.kill(child.pid, signal.SIGCONT)

    tally = search(problem, folder, trials=6, seed=0, workers=2, threads=2, progress=kill_a_busy_one)
    assert victims
    study = open_study(folder)
    assert (tally.finished, tally.failed) == (6, 1)
    assert not multiprocessing.active_children()
    assert {one.user_attrs["worker"] for one in study.get_trials()} == {1, 2, 3}
    again = [one.params for one in study.get_trials() if one.user_attrs.get("attempt") == 2]
    assert again == victims
    assert not list(tmp_path.glob(".unfinished-*"))
