import numpy as np

from ensemble.jobs import JobRunner
from ensemble.tuning import Problem
from ensemble.tuning.candidates import Candidate, best_of, nested_selection
from tests.ensemble.tuning.conftest import stored


def _candidate(name: str, pauc: tuple[float, float, float], **chosen: float) -> Candidate:
    return Candidate(name, chosen, pauc)


def test_the_best_of_some_folds_need_not_be_the_best_of_all() -> None:
    steady = _candidate("steady", (0.10, 0.10, 0.10))  # mean 0.10; without fold 0: 0.10
    lucky = _candidate("lucky", (0.20, 0.08, 0.08))  # mean 0.12; without fold 0: 0.08; without fold 1: 0.14
    assert best_of([steady, lucky]) is lucky
    assert best_of([steady, lucky], apart_from=0) is steady
    assert best_of([steady, lucky], apart_from=1) is lucky


def test_of_equals_the_first_is_taken_so_the_run_keeps_its_parameters() -> None:
    run, trial = _candidate("run", (0.1, 0.1, 0.1)), _candidate("trial 0", (0.1, 0.1, 0.1))
    assert best_of([run, trial]) is run


def test_each_fold_gets_the_scores_of_what_the_other_folds_chose(problem: Problem, runner: JobRunner) -> None:
    run, lucky = _candidate("run", (0.10, 0.10, 0.10)), _candidate("trial 0", (0.20, 0.08, 0.08), learning_rate=0.2)
    of_run, of_lucky = run.scores(problem, runner), lucky.scores(problem, runner)
    there = stored(runner)
    chosen, scores = nested_selection(problem, [run, lucky], runner)
    assert [one.name for one in chosen] == ["run", "trial 0", "trial 0"]
    assert (scores == np.where(problem.fold == 0, of_run, of_lucky)).all()
    assert (of_run != of_lucky).any()
    assert stored(runner) == there  # nested selection costs no training


def test_lesions_left_out_have_no_score(problem: Problem, runner: JobRunner) -> None:
    scores = _candidate("run", (0.1, 0.1, 0.1)).scores(problem.without(2), runner)
    assert np.isnan(scores[problem.fold == 2]).all()
    assert ((scores[problem.fold != 2] > 0) & (scores[problem.fold != 2] < 1)).all()
