from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cv_folds.metrics import partial_auc
from ensemble.jobs import JobRunner, Table
from ensemble.tuning import Effort, Problem, search, tune_by_fold, tuned
from ensemble.tuning.candidates import Candidate, list_candidates, nested_selection
from ensemble.tuning.result import edges
from tests.ensemble.tuning.conftest import runner_in, stored


@pytest.fixture(scope="module")
def searched(problem: Problem, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("searched")
    search(problem, folder, runner_in(folder), Effort(trials=6, seed=1))
    return folder


@pytest.fixture(scope="module")
def result(problem: Problem, searched: Path) -> dict[str, Any]:
    return tuned(problem, searched, runner_in(searched), replicates=100)


def _mean_pauc(problem: Problem, scores: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    rows = [problem.fold == fold for fold in range(3)]
    return float(np.mean([partial_auc(problem.table.target[each], scores[each]) for each in rows]))


def test_each_figure_is_the_mean_over_folds_of_its_scores(
    problem: Problem, searched: Path, result: dict[str, Any]
) -> None:
    runner = runner_in(searched)
    candidates = list_candidates(problem, searched, runner)
    _, honest = nested_selection(problem, candidates, runner)
    run = _mean_pauc(problem, problem.score(problem.current, problem.folds, runner))
    assert result["run"]["pauc"]["estimate"] == pytest.approx(run)
    assert result["best"]["pauc"]["estimate"] == pytest.approx(max(one.mean for one in candidates))
    assert result["honest"]["pauc"]["estimate"] == pytest.approx(_mean_pauc(problem, honest))
    assert result["honest"]["difference"]["estimate"] == pytest.approx(_mean_pauc(problem, honest) - run)
    assert result["honest"]["pauc"]["estimate"] <= result["best"]["pauc"]["estimate"]
    assert result["honest"]["estimate"] == "nested selection"


def test_summing_up_trains_nothing_again(problem: Problem, searched: Path, result: dict[str, Any]) -> None:
    runner = runner_in(searched)
    before = {path: path.stat().st_mtime_ns for path in stored(runner)}
    assert tuned(problem, searched, runner, replicates=100) == result
    assert {path: path.stat().st_mtime_ns for path in stored(runner)} == before


def test_without_a_better_trial_the_run_keeps_its_parameters_and_gains_nothing(
    problem: Problem, tmp_path: Path, runner: JobRunner
) -> None:
    search(problem, tmp_path, runner, Effort(trials=0))
    result = tuned(problem, tmp_path, runner, replicates=100)
    assert result["best"]["name"] == "run"
    assert result["best"]["parameters"] == {}
    assert [one["name"] for one in result["honest"]["chosen"]] == ["run"] * 3
    assert result["honest"]["difference"]["estimate"] == 0
    assert not result["honest"]["difference"]["distinguishable"]
    assert result["edges"] == []


def test_a_parameter_at_the_end_of_its_range_is_named(problem: Problem) -> None:
    ends = {"learning_rate": 0.2, "max_depth": 3, "feature_fraction": 1.0, "num_leaves": 20}
    best = Candidate("trial 0", ends, (0.1, 0.1, 0.1))
    assert {one["name"]: one["end"] for one in edges(problem, best)} == {"learning_rate": "high", "max_depth": "low"}


def test_what_is_chosen_for_a_fold_does_not_depend_on_it(problem: Problem, tmp_path: Path, runner: JobRunner) -> None:
    spoilt = problem.table.target.copy()
    spoilt[problem.fold == 0] = 1 - spoilt[problem.fold == 0]
    other = replace(problem, table=Table(problem.table.matrix, spoilt))
    chosen, scores = tune_by_fold(problem, tmp_path / "first", runner, Effort(trials=3))
    chosen_other, scores_other = tune_by_fold(other, tmp_path / "other", runner, Effort(trials=3))
    held_out = problem.fold == 0
    assert (chosen[0].name, chosen[0].pauc) == (chosen_other[0].name, chosen_other[0].pauc)
    assert (scores[held_out] == scores_other[held_out]).all()
    assert (scores[~held_out] != scores_other[~held_out]).any()  # fold 0 trains the others


def test_the_nested_scores_are_those_of_models_trained_on_all_other_folds(
    problem: Problem, tmp_path: Path, runner: JobRunner
) -> None:
    chosen, scores = tune_by_fold(problem, tmp_path, runner, Effort(trials=2))
    for fold, winner in zip(problem.folds, chosen, strict=True):
        expected = problem.score(problem.configured(winner.chosen), [fold], runner)
        assert (scores[problem.fold == fold] == expected[problem.fold == fold]).all()
