"""Contributions add up to the blended score, and say what they should where that is known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import numpy as np
import polars as pl
import pytest

from ensemble.blend import Blend, Method
from ensemble.explanation import explain
from ensemble.explanation.blended import feature_names, patient_medians
from ensemble.explanation.chain import Floats
from ensemble.matrix import FeatureSpace
from ensemble.model_store import ModelStore
from ensemble.out_of_fold import load_models, score_new
from tests.ensemble.explanation.models import FRAME, MATRIX, PATIENT, TARGET, Linear, trained

EVERY = np.ones(len(FRAME), dtype=np.bool_)


@pytest.mark.parametrize("method", get_args(Method))
def test_base_and_contributions_sum_to_the_blended_score(tmp_path: Path, method: Method) -> None:
    plan = trained(tmp_path, seeds=(0, 1))
    panel = load_models(plan.learners, ModelStore(tmp_path))
    scores = score_new(panel, MATRIX, threads=1)
    blend = Blend.fit(scores, TARGET, method=method)
    found = explain(panel, blend, MATRIX, patient=PATIENT, reference=EVERY, names=feature_names(panel), threads=1)
    assert found.blended.shape == (600, 3)
    np.testing.assert_allclose(found.score, blend(scores), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.base + found.blended.sum(axis=1), blend(scores), rtol=0, atol=1e-9)
    assert np.abs(found.blended).max() > 0.05


LOG3 = float(np.log(3))
TABLE = pl.DataFrame({"isic_id": ["a", "b", "c"], "x": [LOG3, 0.0, -LOG3], "y": [0.0, 0.0, 0.0]})
SPACE = FeatureSpace.fit(TABLE)


def plain(scores: Mapping[str, Floats]) -> Floats:
    return scores["linear"]


def test_by_hand_for_one_model() -> None:
    # log odds ln 3, 0 and -ln 3 are probabilities 3/4, 1/2 and 1/4; the base is 1/2, all of it by x
    found = explain(
        {"linear": [Linear(SPACE)]},
        plain,
        SPACE.encode(TABLE),
        patient=np.array([0, 0, 0]),
        reference=np.array([True, True, True]),
        names=("x", "y"),
        threads=1,
    )
    np.testing.assert_allclose(found.blended, [[0.25, 0], [0, 0], [-0.25, 0]], rtol=0, atol=1e-7)
    np.testing.assert_allclose(found.relative, found.blended, rtol=0, atol=1e-7)  # the patient's median is 0


def test_beside_the_patients_others_at_the_lesions_own_rate() -> None:
    # the patient's usual is now ln 3: the second lesion lacks ln 3 of log odds beside it, at its rate of 1/4
    found = explain(
        {"linear": [Linear(SPACE)]},
        plain,
        SPACE.encode(TABLE),
        patient=np.array([0, 0, 0]),
        reference=np.array([True, False, False]),
        names=("x", "y"),
        threads=1,
    )
    rate = np.array([0.25 / LOG3, 0.25, 0.25 / LOG3])
    np.testing.assert_allclose(found.relative[:, 0], rate * [0, -LOG3, -2 * LOG3], rtol=0, atol=1e-7)


def test_models_of_one_learner_are_averaged_as_probabilities() -> None:
    models = [Linear(SPACE), Linear(SPACE, base=LOG3)]
    found = explain(
        {"linear": models},
        plain,
        SPACE.encode(TABLE),
        patient=np.array([0, 1, 2]),
        reference=np.array([True, True, True]),
        names=("x", "y"),
        threads=1,
    )
    # bases 1/2 and 3/4; the first lesion goes to 3/4 and 9/10
    np.testing.assert_allclose(found.base, 0.625, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.blended[0], [0.2, 0], rtol=0, atol=1e-7)


def test_a_learner_that_sees_part_of_the_features_moves_only_those() -> None:
    part = SPACE.restricted(["y"])
    found = explain(
        {"linear": [Linear(part)]},
        plain,
        SPACE.encode(TABLE.with_columns(y=pl.Series([1.0, 2.0, 3.0]))),
        patient=np.array([0, 0, 0]),
        reference=np.array([True, True, True]),
        names=("x", "y"),
        threads=1,
    )
    assert (found.blended[:, 0] == 0).all()
    assert (np.diff(found.blended[:, 1]) > 0).all()


def test_medians_are_each_patients_own() -> None:
    values = np.array([[1.0], [5.0], [3.0], [7.0], [9.0]])
    reference = np.array([True, True, True, False, True])
    found = patient_medians(values, np.array([4, 4, 4, 6, 6]), reference)
    assert found[:, 0].tolist() == [3.0, 3.0, 3.0, 9.0, 9.0]
