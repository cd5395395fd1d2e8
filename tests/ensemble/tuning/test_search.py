import multiprocessing
import os
import re
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.trial import TrialState

from engine.errors import InputError
from ensemble.jobs import JobRunner
from ensemble.tuning import Effort, Problem, Tally, search
from ensemble.tuning.study import open_study
from tests.ensemble.tuning.conftest import make_problem, runner_in, stored

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def _trials(folder: Path) -> list[tuple[dict[str, Any], list[float], TrialState]]:
    """Parameters, reports and state of the finished trials."""
    found = open_study(folder, make_problem()).get_trials(states=FINISHED)
    return [(one.params, list(one.intermediate_values.values()), one.state) for one in found]


def _begin_and_die(folder: Path, problem: Problem, *, seed: int, parameters: int | None = None) -> None:
    """What is left of a trial whose process was killed after some of its parameters (by default all) were drawn."""
    trial = open_study(folder, problem, seed=seed).ask()
    for each in problem.space[:parameters]:
        each.suggest(trial)


@pytest.fixture(scope="module")
def uninterrupted(problem: Problem, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    search(problem, folder, runner_in(folder), Effort(trials=14, seed=1))
    return folder


def test_the_same_seed_gives_the_same_trials(problem: Problem, uninterrupted: Path, tmp_path: Path) -> None:
    search(problem, tmp_path / "again", runner_in(tmp_path), Effort(trials=14, seed=1))
    search(problem, tmp_path / "other", runner_in(tmp_path), Effort(trials=2, seed=2))
    assert _trials(tmp_path / "again") == _trials(uninterrupted)
    assert _trials(tmp_path / "other") != _trials(uninterrupted)[:2]


def test_every_trial_draws_other_values(uninterrupted: Path) -> None:
    assert len({str(parameters) for parameters, _, _ in _trials(uninterrupted)}) == 14


def test_a_search_goes_on_to_the_trials_it_would_have_made(
    problem: Problem, uninterrupted: Path, tmp_path: Path, runner: JobRunner
) -> None:
    for trials in (5, 13, 14):
        tally = search(problem, tmp_path, runner, Effort(trials, seed=1))
        assert tally.finished == trials
    assert _trials(tmp_path) == _trials(uninterrupted)


@pytest.mark.parametrize(("at", "drawn"), [(3, None), (11, 4), (11, None)])
def test_a_killed_trial_counts_as_failed_and_the_search_goes_on_as_without(
    at: int, drawn: int | None, uninterrupted: Path, tmp_path: Path, runner: JobRunner
) -> None:
    problem = make_problem()
    search(problem, tmp_path, runner, Effort(at, seed=1))
    _begin_and_die(tmp_path, problem, seed=1, parameters=drawn)
    with (tmp_path / "journal.log").open("a") as journal:
        journal.write('{"op_code":4,"wor')  # killed in the middle of a line
    (tmp_path / "journal.log.lock").touch()
    tally = search(problem, tmp_path, runner, Effort(trials=14, seed=1))
    assert (tally.finished, tally.failed) == (14, 1)
    assert _trials(tmp_path) == _trials(uninterrupted)


def test_a_trial_that_keeps_dying_is_given_up(problem: Problem, tmp_path: Path, runner: JobRunner) -> None:
    for _ in range(3):
        search(problem, tmp_path, runner, Effort(trials=0))
        _begin_and_die(tmp_path, problem, seed=0)
    search(problem, tmp_path, runner, Effort(trials=1))
    trials = open_study(tmp_path, problem).get_trials()
    assert [one.state for one in trials] == [TrialState.FAIL] * 3 + [TrialState.COMPLETE]
    assert trials[0].params == trials[1].params == trials[2].params
    assert trials[3].params != trials[0].params


def test_a_hopeless_trial_is_stopped_after_two_folds(problem: Problem, tmp_path: Path, runner: JobRunner) -> None:
    search(problem, tmp_path, runner, Effort(trials=10, seed=1))
    stump = {"max_depth": 3, "num_leaves": 4, "min_data_in_leaf": 400, "lambda_l1": 10.0, "learning_rate": 0.01}
    open_study(tmp_path, problem).enqueue_trial(stump)
    before = len(stored(runner))
    tally = search(problem, tmp_path, runner, Effort(trials=11, seed=1))
    assert (tally.complete, tally.pruned, tally.finished) == (10, 1, 11)
    assert len(_trials(tmp_path)[10][1]) == 2  # of three folds
    assert len(stored(runner)) == before + 2


def test_values_are_the_mean_over_folds_of_what_the_result_store_holds(problem: Problem, uninterrupted: Path) -> None:
    runner = runner_in(uninterrupted)
    there = stored(runner)
    for trial in open_study(uninterrupted, problem).get_trials(states=(TrialState.COMPLETE,)):
        scores = problem.score(problem.configured(trial.params), problem.folds, runner)
        by_fold = [problem.pauc(scores, fold) for fold in problem.folds]
        assert trial.value == pytest.approx(np.mean(by_fold), abs=1e-15)
        assert trial.user_attrs["pauc_by_fold"] == by_fold
    assert stored(runner) == there


def test_a_study_that_was_lost_finds_the_scores_of_its_trials(
    problem: Problem, uninterrupted: Path, tmp_path: Path
) -> None:
    runner = runner_in(uninterrupted)
    before = {path: path.stat().st_mtime_ns for path in stored(runner)}
    search(problem, tmp_path, runner, Effort(trials=14, seed=1))
    assert _trials(tmp_path) == _trials(uninterrupted)
    assert {path: path.stat().st_mtime_ns for path in stored(runner)} == before


def test_a_folder_of_another_problem_is_refused(problem: Problem, tmp_path: Path, runner: JobRunner) -> None:
    search(problem, tmp_path, runner, Effort(trials=1))
    with pytest.raises(InputError, match="delete this folder"):
        search(make_problem(trees=6), tmp_path, runner, Effort(trials=2))


def test_workers_that_die_leave_failed_trials_and_the_search_goes_on(tmp_path: Path) -> None:
    problem, runner = make_problem(trees=200), runner_in(tmp_path, cores=2)
    study = open_study(tmp_path, problem)
    victims: list[dict[str, Any]] = []

    def kill_while_a_trial_runs(tally: Tally) -> None:
        while not victims and tally.finished < 6:
            children = multiprocessing.active_children()
            for child in children:
                os.kill(child.pid or 0, signal.SIGSTOP)  # it cannot finish its trial while we look
            running = study.get_trials(states=(TrialState.RUNNING,))
            victims.extend(one.params for one in running if len(one.params) == len(problem.space))
            for child in children:
                os.kill(child.pid or 0, signal.SIGKILL if victims else signal.SIGCONT)
            tally = Tally.of(study)

    tally = search(problem, tmp_path, runner, Effort(trials=6, workers=2), progress=kill_while_a_trial_runs)
    assert victims
    assert tally.finished == 6
    assert tally.failed >= len(victims)
    assert not multiprocessing.active_children()
    again = [one.params for one in study.get_trials() if "retry_of" in one.user_attrs]
    assert again == victims
    drawn = [str(one.params) for one in study.get_trials(states=FINISHED)]
    assert len(set(drawn)) == 6  # workers side by side draw different values


@pytest.mark.parametrize("how", ["a figure", "a line", "not text", "an earlier version's"])
def test_a_journal_that_was_changed_is_not_believed(
    how: str, problem: Problem, uninterrupted: Path, tmp_path: Path, runner: JobRunner
) -> None:
    journal = tmp_path / "journal.log"
    text = (uninterrupted / "journal.log").read_bytes()
    assert b'"pauc_by_fold":[0.' in text
    damaged = {
        "a figure": text.replace(b'"pauc_by_fold":[0.', b'"pauc_by_fold":[1.', 1),
        "a line": text.replace(b"\n", b"", 1),
        "not text": text.replace(b"{", b"\xff", 1),
        "an earlier version's": re.sub(rb',"sha256":"\w+"', b"", text),
    }
    journal.write_bytes(damaged[how])
    with pytest.raises(InputError, match=r"damaged, or was written by an earlier version\. delete it to search anew"):
        search(problem, tmp_path, runner, Effort(trials=14, seed=1))
    journal.unlink()  # as the line says
    search(problem, tmp_path, runner, Effort(trials=2, seed=1))
    assert _trials(tmp_path) == _trials(uninterrupted)[:2]
