"""The fully nested estimate."""

from __future__ import annotations

import numpy as np
import pytest

from ensemble.blend import Blend
from ensemble.learners import get_learner
from ensemble.matrix import FeatureSpace
from ensemble.nested import Pair, fold_pairs, nested_scores, score_pair
from ensemble.out_of_fold import Plan
from tests.ensemble.learners.contract import lesions

N = 600
FRAME, TARGET = lesions(N)
MATRIX = FeatureSpace.fit(FRAME).encode(FRAME)
FOLD = (np.arange(N) % 3).astype(np.int8)
LEARNERS = {
    "lightgbm": get_learner("lightgbm", {"n_trees": 8, "min_data_in_leaf": 5}),
    "xgboost": get_learner("xgboost", {"n_trees": 8}),
}
PLAN = Plan(LEARNERS, [FOLD], (0, 1), 1.0, {})


def pairs(target: np.ndarray = TARGET) -> dict[Pair, dict[str, np.ndarray]]:
    return {pair: score_pair(PLAN, list(LEARNERS), MATRIX, target, pair, threads=2) for pair in fold_pairs(FOLD)}


def nested(scores: dict[Pair, dict[str, np.ndarray]], target: np.ndarray = TARGET) -> dict[str, np.ndarray]:
    return nested_scores(scores, target, FOLD, blend="stack", calibration="beta", prevalence=0.3)


def test_every_two_folds_once() -> None:
    assert fold_pairs(np.array([2, 0, 1, 3, 0])) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


def test_a_pair_scores_its_two_folds_and_nothing_else() -> None:
    scores = score_pair(PLAN, ["xgboost"], MATRIX, TARGET, (0, 2), threads=2)["xgboost"]
    assert np.array_equal(np.isnan(scores), FOLD == 1)


def test_labels_of_a_fold_have_no_say_in_any_of_its_scores() -> None:
    turned = np.where(FOLD == 1, 1 - TARGET, TARGET).astype(np.int8)
    one, other = nested(pairs()), nested(pairs(turned), turned)
    for name, scores in one.items():
        assert np.array_equal(scores[FOLD == 1], other[name][FOLD == 1]), name
        assert not np.array_equal(scores[FOLD == 0], other[name][FOLD == 0]), name


def test_the_outer_fold_is_scored_as_new_lesions_are_by_a_run_on_the_others() -> None:
    found = pairs()
    outer, here = 2, FOLD == 2
    inner = {name: np.full(N, np.nan) for name in LEARNERS}
    for name in LEARNERS:  # fold 0 from the models without 0 and 2, fold 1 from those without 1 and 2
        inner[name][FOLD == 0] = found[0, outer][name][FOLD == 0]
        inner[name][FOLD == 1] = found[1, outer][name][FOLD == 1]
    blend = Blend.fit({name: scores[~here] for name, scores in inner.items()}, TARGET[~here], method="greedy")
    new = {name: (found[0, outer][name][here] + found[1, outer][name][here]) / 2 for name in LEARNERS}
    np.testing.assert_allclose(nested(found)["blend_greedy"][here], blend(new), rtol=0, atol=1e-15)


def test_risks_are_risks() -> None:
    risk = nested(pairs())["risk"]
    assert ((risk > 0) & (risk < 1)).all()
    assert risk.mean() == pytest.approx(0.3, abs=0.05)
