"""Contributions add up to the weighted log odds, and say what they should where that is known."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import polars as pl
import pytest
from scipy.special import logit

from ensemble.blend import Blend, Method
from ensemble.explanation import Explained, Explainer, explain, out_of_fold
from ensemble.explanation.contributions import feature_names
from ensemble.jobs import Table
from ensemble.learners import Model
from ensemble.matrix import FeatureSpace
from ensemble.model_store import ModelStore
from ensemble.out_of_fold import score_out_of_fold
from tests.ensemble.explanation.models import FOLD, FRAME, LEARNERS, MATRIX, TARGET, Linear, runner, trained

ROWS = np.arange(len(FRAME))


def every_model(folder: Path) -> dict[str, list[Model]]:
    store = ModelStore(folder)
    return {name: [store.load(slot) for slot in store.slots() if slot.learner == name] for name in LEARNERS}


@pytest.mark.parametrize("method", get_args(Method))
def test_base_and_contributions_sum_to_the_weighted_log_odds(tmp_path: Path, method: Method) -> None:
    plan = trained(tmp_path, seeds=(0, 1))
    blend = Blend.fit(score_out_of_fold(plan, Table(MATRIX, TARGET), runner(tmp_path)), TARGET, method=method)
    models = every_model(tmp_path)
    found = explain([Explainer(ROWS, models, blend.weights)], MATRIX, names=MATRIX.space.names, threads=1)
    wanted = np.zeros(len(FRAME))
    for name, fitted in models.items():
        log_odds = [logit(model.predict(MATRIX, threads=1)) for model in fitted]
        wanted += blend.weights[name] * np.mean(log_odds, axis=0)
    assert found.blended.shape == (600, 3)
    np.testing.assert_allclose(found.base + found.blended.sum(axis=1), wanted, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.log_odds, wanted, rtol=0, atol=1e-9)
    assert np.abs(found.blended).max() > 0.1


@pytest.mark.parametrize("repeats", [1, 2])
def test_out_of_fold_they_sum_to_the_log_odds_of_models_that_never_saw_the_patient(
    tmp_path: Path, repeats: int
) -> None:
    plan = trained(tmp_path, repeats=repeats)
    store, weights = ModelStore(tmp_path), {"lightgbm": 0.5, "xgboost": 0.2, "catboost": 0.3}
    explainers = out_of_fold(plan, store, ROWS, weights)
    found = explain(explainers, MATRIX, names=feature_names(explainers), threads=1)
    wanted = np.zeros(len(FRAME))
    for slot in plan.slots():
        mine = plan.assignments[slot.repeat] == slot.fold
        model = store.load(slot)
        wanted[mine] += weights[slot.learner] / repeats * logit(model.predict(MATRIX.rows(mine), threads=1))
    np.testing.assert_allclose(found.log_odds, wanted, rtol=0, atol=1e-9)


def test_each_lesion_has_one_explainer_with_a_model_of_each_repeat(tmp_path: Path) -> None:
    plan = trained(tmp_path, repeats=2)
    explainers = out_of_fold(plan, ModelStore(tmp_path), ROWS, dict.fromkeys(LEARNERS, 1 / 3))
    assert sorted(np.concatenate([explainer.rows for explainer in explainers]).tolist()) == ROWS.tolist()
    for explainer in explainers:
        assert all(len(np.unique(fold[explainer.rows])) == 1 for fold in plan.assignments)
        assert {name: len(models) for name, models in explainer.models.items()} == dict.fromkeys(LEARNERS, 2)


def test_a_learner_outside_the_blend_explains_nothing(tmp_path: Path) -> None:
    plan = trained(tmp_path)
    explainers = out_of_fold(plan, ModelStore(tmp_path), ROWS, {"xgboost": 1.0})
    assert [list(explainer.models) for explainer in explainers] == [["xgboost"]] * 3


def test_labels_of_a_fold_do_not_change_its_explanations(tmp_path: Path) -> None:
    flipped = TARGET.copy()
    flipped[FOLD == 1] = 1 - flipped[FOLD == 1]
    rows, found = np.flatnonzero(FOLD == 1), []
    for name, target in (("a", TARGET), ("b", flipped)):
        plan = trained(tmp_path / name, target=target)
        explainers = out_of_fold(plan, ModelStore(tmp_path / name), rows, dict.fromkeys(LEARNERS, 1 / 3))
        found.append(explain(explainers, MATRIX.rows(rows), names=feature_names(explainers), threads=1))
    assert np.array_equal(found[0].blended, found[1].blended)


def test_a_lesions_bits_do_not_depend_on_the_others(tmp_path: Path) -> None:
    trained(tmp_path)
    models = every_model(tmp_path)
    weights = dict.fromkeys(LEARNERS, 1 / 3)
    whole, alone = (
        explain(
            [Explainer(np.arange(len(rows)), models, weights)], MATRIX.rows(rows), names=MATRIX.space.names, threads=1
        )
        for rows in (ROWS, ROWS[7:8])
    )
    assert np.array_equal(whole.blended[7], alone.blended[0])
    assert whole.log_odds[7] == alone.log_odds[0]


TABLE = pl.DataFrame({"isic_id": ["a", "b", "c"], "x": [2.0, 0.0, -1.0], "y": [1.0, 2.0, 3.0]})
SPACE = FeatureSpace.fit(TABLE)


def by_hand(*explainers: Explainer) -> Explained:
    return explain(explainers, SPACE.encode(TABLE), names=("x", "y"), threads=1)


def test_models_of_a_learner_are_averaged_and_learners_weighted() -> None:
    models = {"one": [Linear(SPACE), Linear(SPACE, base=1.0)], "other": [Linear(SPACE, base=-2.0)]}
    found = by_hand(Explainer(np.arange(3), models, {"one": 0.75, "other": 0.25}))
    assert found.blended.tolist() == [[2.0, 1.0], [0.0, 2.0], [-1.0, 3.0]]  # (3 + 1) quarters of each value
    assert found.by_learner["other"].tolist() == [[0.5, 0.25], [0.0, 0.5], [-0.25, 0.75]]
    assert found.base.tolist() == [-0.125] * 3  # 3/4 of the mean of 0 and 1, and 1/4 of -2


def test_a_learner_that_sees_part_of_the_features_moves_only_those() -> None:
    found = by_hand(Explainer(np.arange(3), {"linear": [Linear(SPACE.restricted(["y"]))]}, {"linear": 1.0}))
    assert found.blended.tolist() == [[0.0, 1.0], [0.0, 2.0], [0.0, 3.0]]


def test_each_lesion_is_explained_by_its_own_explainer() -> None:
    with_image = Explainer(np.array([0, 2]), {"a": [Linear(SPACE)]}, {"a": 1.0})
    without = Explainer(np.array([1]), {"b": [Linear(SPACE.restricted(["y"]), base=5.0)]}, {"b": 0.5})
    found = by_hand(with_image, without)
    assert found.blended.tolist() == [[2.0, 1.0], [0.0, 1.0], [-1.0, 3.0]]
    assert found.base.tolist() == [0.0, 2.5, 0.0]
    assert set(found.by_learner) == {"a", "b"}
