"""The fully nested estimate."""

from __future__ import annotations

import numpy as np
import pytest

from engine.executors import LocalExecutor
from engine.results import ResultStore
from ensemble.blend import Blend
from ensemble.calibration import Calibration
from ensemble.fusion import blended_out_of_fold
from ensemble.jobs import JobRunner, Table
from ensemble.learners import get_learner
from ensemble.matrix import FeatureSpace
from ensemble.nested import OuterFold, nested_scores, score_outer_fold
from ensemble.new_lesions import score_new_lesions
from ensemble.out_of_fold import Plan
from tests.ensemble.jobs.executors import Remembering, made_by
from tests.ensemble.learners.contract import lesions

N = 600
FRAME, TARGET = lesions(N)
MATRIX = FeatureSpace.fit(FRAME).encode(FRAME)
FOLD = (np.arange(N) % 3).astype(np.int8)
LEARNERS = {
    "lightgbm": get_learner("lightgbm", {"n_trees": 8, "min_data_in_leaf": 5}),
    "xgboost": get_learner("xgboost", {"n_trees": 8}),
}
PLAN = Plan(LEARNERS, [FOLD], (0, 1), 1.0)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> JobRunner:
    return JobRunner(ResultStore(tmp_path_factory.mktemp("results")), LocalExecutor(2))


def scored(runner: JobRunner, target: np.ndarray = TARGET) -> dict[int, OuterFold]:
    return {
        outer: score_outer_fold(PLAN, list(LEARNERS), Table(MATRIX, target), outer, runner=runner) for outer in range(3)
    }


def nested(scores: dict[int, OuterFold], target: np.ndarray = TARGET) -> dict[str, np.ndarray]:
    return nested_scores(scores, target, FOLD, blend="stack", calibration="beta", prevalence=0.3)


def test_labels_of_a_fold_have_no_say_in_any_of_its_scores(runner: JobRunner) -> None:
    turned = np.where(FOLD == 1, 1 - TARGET, TARGET).astype(np.int8)
    one, other = nested(scored(runner)), nested(scored(runner, turned), turned)
    for name, scores in one.items():
        assert np.array_equal(scores[FOLD == 1], other[name][FOLD == 1]), name
        assert not np.array_equal(scores[FOLD == 0], other[name][FOLD == 0]), name


def test_models_of_an_outer_fold_read_its_lesions_only_to_score_them(runner: JobRunner) -> None:
    outer, here = 2, FOLD == 2
    values = MATRIX.values.copy()
    values[here, 0] += 1
    changed = Table(type(MATRIX)(MATRIX.space, values), TARGET)
    before = score_outer_fold(PLAN, list(LEARNERS), Table(MATRIX, TARGET), outer, runner=runner)
    after = score_outer_fold(PLAN, list(LEARNERS), changed, outer, runner=runner)
    for name in LEARNERS:
        assert np.array_equal(before.inner[name], after.inner[name])
        assert not np.array_equal(before.new[name][0], after.new[name][0])


def test_the_outer_fold_is_scored_as_new_lesions_are_by_models_of_the_others(runner: JobRunner) -> None:
    """By hand: a model without folds 0 and 2, one without 1 and 2; each scores its inner fold and the outer one."""
    outer, here = 2, FOLD == 2
    found = score_outer_fold(PLAN, list(LEARNERS), Table(MATRIX, TARGET), outer, runner=runner)
    for name, learner in LEARNERS.items():
        inner, new = np.zeros(N), [np.zeros(200), np.zeros(200)]
        for fold in (0, 1):
            for seed in (0, 1):
                rows = PLAN.sample(TARGET, np.flatnonzero(1 - fold == FOLD), (seed, outer, fold))
                model = learner.fit(MATRIX.rows(rows), TARGET[rows], seed=seed, threads=1)
                inner[fold == FOLD] += model.predict(MATRIX.rows(fold == FOLD), threads=1) / 2
                new[fold] += model.predict(MATRIX.rows(here), threads=1) / 2
        assert np.array_equal(found.inner[name], inner[~here])
        assert np.array_equal(found.new[name], new)


def test_weights_and_maps_are_those_of_the_other_folds(runner: JobRunner) -> None:
    found = scored(runner)
    here = FOLD == 2
    blend = Blend.fit(found[2].inner, TARGET[~here], method="greedy")
    out_of_fold = blended_out_of_fold(found[2].inner, TARGET[~here], FOLD[~here], method="greedy")
    risks = Calibration.fit(out_of_fold, TARGET[~here], method="beta", prevalence=0.3)
    new = score_new_lesions(found[2].new, blend, risks)
    assert np.array_equal(nested(found)["blend_greedy"][here], new.blend)


def test_a_second_estimate_trains_nothing(runner: JobRunner) -> None:
    first = scored(runner)
    again = JobRunner(runner.results, Remembering())
    second = scored(again)
    assert made_by(again) == []
    assert all(np.array_equal(nested(first)[name], scores) for name, scores in nested(second).items())


def test_weights_of_rows_are_used(runner: JobRunner) -> None:
    weighed = Table(MATRIX, TARGET, np.where(TARGET == 1, 5.0, 1.0))
    plain = score_outer_fold(PLAN, list(LEARNERS), Table(MATRIX, TARGET), 0, runner=runner)
    found = score_outer_fold(PLAN, list(LEARNERS), weighed, 0, runner=runner)
    assert found.inner["lightgbm"].mean() > plain.inner["lightgbm"].mean() + 0.02


def test_risks_are_risks(runner: JobRunner) -> None:
    risk = nested(scored(runner))["risk"]
    assert ((risk > 0) & (risk < 1)).all()
    assert risk.mean() == pytest.approx(0.3, abs=0.05)
