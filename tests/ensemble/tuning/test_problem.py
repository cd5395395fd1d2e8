from dataclasses import replace

import numpy as np

from ensemble.jobs import JobRunner, Table
from ensemble.matrix import Matrix
from ensemble.out_of_fold import score_out_of_fold
from ensemble.tuning import Problem
from tests.ensemble.tuning.conftest import make_problem, stored


def test_the_runs_own_parameters_are_the_runs_own_jobs(runner: JobRunner) -> None:
    problem = make_problem(seeds=(0, 3))
    expected = score_out_of_fold(problem.plan, problem.table, runner)["lightgbm"]
    there = stored(runner)
    assert (problem.score(problem.configured({}), problem.folds, runner) == expected).all()
    assert stored(runner) == there  # nothing was trained again
    part = problem.score(problem.current, [1], runner)
    assert (part[problem.fold == 1] == expected[problem.fold == 1]).all()
    assert np.isnan(part[problem.fold != 1]).all()


def test_weights_of_lesions_count(problem: Problem, runner: JobRunner) -> None:
    weight = np.where(problem.table.matrix.values[:, 2] > 0, 1.0, 0.01)
    weighted = replace(problem, table=Table(problem.table.matrix, problem.table.target, weight))
    plain, other = (each.score(each.current, [0], runner) for each in (problem, weighted))
    assert (plain[problem.fold == 0] != other[problem.fold == 0]).any()


def test_a_fold_left_out_has_no_part_in_training(problem: Problem, runner: JobRunner) -> None:
    inner = problem.without(1)
    assert inner.folds == [0, 2]
    values = problem.table.matrix.values.copy()
    values[problem.fold == 1] = 100.0
    spoilt = replace(inner, table=Table(Matrix(problem.table.matrix.space, values), problem.table.target))
    learner, rows = problem.configured({}), inner.rows(0)
    assert (inner.score(learner, [0], runner)[rows] == spoilt.score(learner, [0], runner)[rows]).all()
    # the check can fail: with the fold in play the scores differ
    spoilt = replace(spoilt, fold=problem.fold)
    assert (inner.score(learner, [0], runner)[rows] != spoilt.score(learner, [0], runner)[rows]).any()


def test_the_fingerprint_tells_settings_apart(problem: Problem) -> None:
    assert problem.fingerprint == make_problem().fingerprint
    assert problem.fingerprint != make_problem(trees=6).fingerprint
    assert problem.fingerprint != make_problem(seeds=(1,)).fingerprint
    assert problem.fingerprint != problem.without(0).fingerprint
