"""Risks from scores."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from engine.errors import InputError
from ensemble.calibration import METHODS, Calibration, Method, calibrated_out_of_fold

RNG = np.random.default_rng(0)
SCORES = RNG.beta(1, 4, 40_000)
TRUE = expit(1.7 * np.log(SCORES) - 0.6 * np.log1p(-SCORES) - 2.0)
TARGET = (RNG.random(SCORES.size) < TRUE).astype(np.int8)


def test_beta_finds_the_map_that_made_the_labels() -> None:
    fitted = Calibration.fit(SCORES, TARGET, method="beta")
    a, b, c = fitted.parameters
    assert (a, b, c) == pytest.approx((1.7, 0.6, -2.0), abs=0.25)
    np.testing.assert_allclose(fitted(SCORES).sum(), TARGET.sum(), rtol=1e-4)  # maximum likelihood is right on average


def test_platt_is_logistic_in_the_log_odds() -> None:
    target = (RNG.random(SCORES.size) < expit(0.8 * logit(SCORES) - 1)).astype(np.int8)
    a, b, c = Calibration.fit(SCORES, target, method="platt").parameters
    assert a == b
    assert (a, c) == pytest.approx((0.8, -1.0), abs=0.06)


def test_isotonic_by_hand() -> None:
    # 0.1 0.2 | 0.4 0.5 | 0.9: targets 0 0 | 1 0 | 1. Steps: share 0, 1/2, 1; kept off 0 and 1 by 0.5/6.
    fitted = Calibration.fit(np.array([0.1, 0.2, 0.4, 0.5, 0.9]), np.array([0, 0, 1, 0, 1], np.int8), method="isotonic")
    np.testing.assert_allclose(fitted.knots, [(0.15, 1 / 12), (0.45, 0.5), (0.9, 11 / 12)])
    np.testing.assert_allclose(fitted(np.array([0.0, 0.3, 1.0])), [1 / 12, 7 / 24, 11 / 12])


@pytest.mark.parametrize("method", METHODS)
def test_risks_never_fall_and_are_close_to_the_truth(method: Method) -> None:
    fitted = Calibration.fit(SCORES, TARGET, method=method)
    grid = fitted(np.linspace(0, 1, 1001))
    assert (np.diff(grid) >= 0).all()
    assert ((grid > 0) & (grid < 1)).all()
    assert np.abs(fitted(SCORES) - TRUE).mean() < 0.02


@pytest.mark.parametrize("method", METHODS)
def test_a_lesion_alone_gets_the_bits_of_the_batch_also_after_json(method: Method) -> None:
    fitted = Calibration.fit(SCORES, TARGET, method=method)
    again = Calibration.from_dict(json.loads(json.dumps(fitted.as_dict())))
    batch = fitted(SCORES)
    assert np.array_equal(batch[::997], [again(SCORES[i : i + 1])[0] for i in range(0, SCORES.size, 997)])


def test_another_prevalence_multiplies_the_odds() -> None:
    fitted = Calibration.fit(SCORES, TARGET)
    share = TARGET.mean()
    rare = replace(fitted, prevalence=0.001)(SCORES)
    odds = fitted(SCORES) / (1 - fitted(SCORES)) * (0.001 / 0.999) / (share / (1 - share))
    np.testing.assert_allclose(rare, odds / (1 + odds))


def test_labels_of_a_fold_do_not_change_its_risks() -> None:
    fold = RNG.integers(0, 4, SCORES.size)
    flipped = np.where(fold == 2, 1 - TARGET, TARGET).astype(np.int8)
    one = calibrated_out_of_fold(SCORES, TARGET, fold, prevalence=0.1)
    other = calibrated_out_of_fold(SCORES, flipped, fold, prevalence=0.1)
    assert np.array_equal(one[fold == 2], other[fold == 2])
    assert not np.array_equal(one[fold == 1], other[fold == 1])


def test_extreme_scores_stay_risks() -> None:
    risks = Calibration.fit(SCORES, TARGET)(np.array([0.0, 1.0]))
    assert 0 < risks[0] < risks[1] < 1


def test_one_class_or_an_unknown_method_is_refused() -> None:
    with pytest.raises(InputError, match="malignant and benign"):
        Calibration.fit(SCORES, np.zeros(SCORES.size, np.int8))
    with pytest.raises(InputError, match="beta, platt, isotonic"):
        Calibration.fit(SCORES, TARGET, method="spline")  # type: ignore[arg-type]
