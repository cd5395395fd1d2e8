from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from cv_folds.metrics import partial_auc
from ensemble.tuning import Problem, StudyFolder, search, tune_by_fold, tuned
from ensemble.tuning.candidates import list_candidates, nested_selection, read_scores


@pytest.fixture(scope="module")
def searched(problem: Problem, tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    folder = StudyFolder(tmp_path_factory.mktemp("searched"))
    search(problem, folder, trials=6, seed=1)
    return folder


@pytest.fixture(scope="module")
def result(problem: Problem, searched: StudyFolder) -> dict[str, Any]:
    return tuned(problem, searched, replicates=100)


def _mean_pauc(problem: Problem, scores: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    return float(
        np.mean([partial_auc(problem.target[rows], scores[rows]) for rows in (problem.fold == f for f in range(3))])
    )


def test_each_figure_is_the_mean_over_folds_of_its_scores(
    problem: Problem, searched: StudyFolder, result: dict[str, Any]
) -> None:
    candidates = list_candidates(problem, searched)
    _, honest = nested_selection(problem, candidates)
    run = _mean_pauc(problem, read_scores(problem, searched.baseline))
    assert result["run"]["pauc"]["estimate"] == pytest.approx(run)
    assert result["best"]["pauc"]["estimate"] == pytest.approx(max(one.mean for one in candidates))
    assert result["honest"]["pauc"]["estimate"] == pytest.approx(_mean_pauc(problem, honest))
    assert result["honest"]["difference"]["estimate"] == pytest.approx(_mean_pauc(problem, honest) - run)
    assert result["honest"]["pauc"]["estimate"] <= result["best"]["pauc"]["estimate"]
    assert result["honest"]["estimate"] == "nested selection"


def test_without_a_better_trial_the_run_keeps_its_parameters_and_gains_nothing(
    problem: Problem, tmp_path: Path
) -> None:
    search(problem, StudyFolder(tmp_path), trials=0, seed=0)
    result = tuned(problem, StudyFolder(tmp_path), replicates=100)
    assert result["best"]["name"] == "run"
    assert result["best"]["parameters"] == {}
    assert [one["name"] for one in result["honest"]["chosen"]] == ["run"] * 3
    assert result["honest"]["difference"]["estimate"] == 0
    assert not result["honest"]["difference"]["distinguishable"]
    assert result["edges"] == []


def test_a_parameter_at_the_end_of_its_range_is_named(problem: Problem, searched: StudyFolder) -> None:
    ends = {"learning_rate": 0.2, "max_depth": 3, "feature_fraction": 1.0, "num_leaves": 20}
    from ensemble.tuning.candidates import Candidate
    from ensemble.tuning.result import edges

    best = Candidate("trial 0", ends, (0.1, 0.1, 0.1), searched.baseline)
    assert {one["name"]: one["end"] for one in edges(problem, best)} == {"learning_rate": "high", "max_depth": "low"}


def test_what_is_chosen_for_a_fold_does_not_depend_on_it(problem: Problem, tmp_path: Path) -> None:
    spoilt = problem.target.copy()
    spoilt[problem.fold == 0] = 1 - spoilt[problem.fold == 0]
    other = replace(problem, keys=problem.keys.with_columns(pl.Series("target", spoilt)))
    limits: dict[str, Any] = {"trials": 3, "seed": 0, "workers": 1, "threads": 1, "progress": lambda _: lambda _: None}
    chosen, scores = tune_by_fold(problem, StudyFolder(tmp_path / "first"), **limits)
    chosen_other, scores_other = tune_by_fold(other, StudyFolder(tmp_path / "other"), **limits)
    held_out = problem.fold == 0
    assert (chosen[0].name, chosen[0].pauc) == (chosen_other[0].name, chosen_other[0].pauc)
    assert (scores[held_out] == scores_other[held_out]).all()
    assert (scores[~held_out] != scores_other[~held_out]).any()  # fold 0 trains the others


def test_the_nested_scores_are_those_of_models_trained_on_all_other_folds(problem: Problem, tmp_path: Path) -> None:
    chosen, scores = tune_by_fold(
        problem, StudyFolder(tmp_path), trials=2, seed=0, workers=1, threads=1, progress=lambda _: lambda _: None
    )
    for fold, winner in zip(problem.folds, chosen, strict=True):
        rows, expected = problem.score_fold(problem.configured(winner.chosen), fold, threads=1)
        assert (scores[rows] == expected).all()
