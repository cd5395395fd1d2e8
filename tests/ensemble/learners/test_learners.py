"""The contract, for each learner."""

from __future__ import annotations

import pytest

from cohort.errors import InputError
from ensemble.learners import LEARNERS, get_learner
from tests.ensemble.learners.contract import LearnerContract


class TestLightGBM(LearnerContract):
    name = "lightgbm"


class TestXGBoost(LearnerContract):
    name = "xgboost"


class TestCatBoost(LearnerContract):
    name = "catboost"


def test_every_learner_is_under_the_contract() -> None:
    assert {contract.name for contract in LearnerContract.__subclasses__()} == set(LEARNERS)


def test_an_unknown_learner_names_the_nearest() -> None:
    with pytest.raises(InputError, match="lightgbm"):
        get_learner("lightbgm", {})


def test_a_misspelt_lightgbm_parameter_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'learning_rate'"):
        get_learner("lightgbm", {"learning_rte": 0.1})
