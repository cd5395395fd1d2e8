from dataclasses import replace
from pathlib import Path

import numpy as np

from ensemble.matrix import Matrix
from ensemble.model_store import ModelStore
from ensemble.out_of_fold import score_out_of_fold, train
from ensemble.tuning import Problem
from tests.ensemble.tuning.conftest import make_problem


def test_the_runs_own_parameters_give_the_runs_own_scores(tmp_path: Path) -> None:
    problem = make_problem(seeds=(0, 3))
    store = ModelStore(tmp_path)
    train(problem.plan, problem.matrix, problem.target, store, threads=1, progress=lambda *_: None)
    expected = score_out_of_fold(problem.plan, problem.matrix, store, threads=1)["lightgbm"]
    for fold in (0, 1, 2):
        rows, scores = problem.score_fold(problem.configured({}), fold, threads=1)
        assert (rows == np.flatnonzero(problem.fold == fold)).all()
        assert (scores == expected[rows].astype(np.float32)).all()


def test_a_fold_left_out_has_no_part_in_training(problem: Problem) -> None:
    inner = problem.without(1)
    assert inner.folds == [0, 2]
    values = problem.matrix.values.copy()
    values[problem.fold == 1] = 100.0
    spoilt = replace(inner, matrix=Matrix(problem.matrix.space, values))
    learner = problem.configured({})
    assert (inner.score_fold(learner, 0, threads=1)[1] == spoilt.score_fold(learner, 0, threads=1)[1]).all()
    # the check can fail: with the fold in play the scores differ
    spoilt = replace(spoilt, fold=problem.fold)
    assert (inner.score_fold(learner, 0, threads=1)[1] != spoilt.score_fold(learner, 0, threads=1)[1]).any()


def test_the_fingerprint_tells_settings_apart(problem: Problem) -> None:
    assert problem.fingerprint == make_problem().fingerprint
    assert problem.fingerprint != make_problem(trees=6).fingerprint
    assert problem.fingerprint != make_problem(seeds=(1,)).fingerprint
    assert problem.fingerprint != problem.without(0).fingerprint
