"""The promise of a short list: worked by hand, kept in 500 simulated cohorts, and broken by a list without a margin."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from cv_folds.metrics.inputs import Flags, Floats
from engine.errors import InputError
from submissions.conformal import Loss, Promise, find_limit, mean_losses
from tests.submissions.reading_order import draw, trial, true_loss

# Four patients. P0: malignant lesions at ranks 1 and 3. P1: at 2. P2: at 3. P3: at 1, 5, 5 and 9.
ENTRY = np.array([1.0, 3.0, 2.0, 3.0, 1.0, 5.0, 5.0, 9.0])
PATIENT = np.array([0, 0, 1, 2, 3, 3, 3, 3])


def test_mean_losses_by_hand() -> None:
    limits, share = mean_losses(ENTRY, PATIENT, "share")
    assert limits.tolist() == [1, 2, 3, 5, 9]
    # after rank 1: (1/2 + 1 + 1 + 3/4) / 4; rank 2: (1/2 + 0 + 1 + 3/4) / 4; rank 3: 3/4 / 4; rank 5: 1/4 / 4
    assert share.tolist() == [13 / 16, 9 / 16, 3 / 16, 1 / 16, 0]
    limits, missed_any = mean_losses(ENTRY, PATIENT, "any")
    # P1 is complete at 2, P0 and P2 at 3, P3 at 9
    assert limits.tolist() == [2, 3, 9]
    assert missed_any.tolist() == [3 / 4, 1 / 4, 0]


def test_the_order_of_lesions_and_the_names_of_patients_do_not_matter() -> None:
    turned = mean_losses(ENTRY[::-1], 7 - PATIENT[::-1], "share")
    for ours, theirs in zip(turned, mean_losses(ENTRY, PATIENT, "share"), strict=True):
        assert ours.tolist() == theirs.tolist()


def test_the_limit_on_average_by_hand() -> None:
    # (4 R + 1) / 5 at ranks 1, 2, 3, 5, 9: 17/20, 13/20, 7/20, 1/4, 1/5
    assert find_limit(ENTRY, PATIENT, Promise(0.75)).entry == 5
    assert find_limit(ENTRY, PATIENT, Promise(0.76)).entry == 9
    assert find_limit(ENTRY, PATIENT, Promise(0.65)).entry == 3
    assert find_limit(ENTRY, PATIENT, Promise(0.66)).entry == 5
    assert find_limit(ENTRY, PATIENT, Promise(0.65)).mean_loss == 3 / 16


def test_the_exact_binomial_bound_by_hand() -> None:
    # 3 of 30 patients are missed. P(Bin(30, 1/4) <= 3), in whole numbers:
    exact = binomial_tail(30, Fraction(1, 4), 3)
    promise = Promise(0.75, 0.9, "any")
    assert promise.p_value(np.array([3 / 30]), 30)[0] == pytest.approx(exact, rel=1e-12)
    assert promise.kept(np.array([3 / 30, 5 / 30]), 30).tolist() == [exact <= 0.1, False]


def test_the_hoeffding_bentkus_bound_by_hand() -> None:
    # n = 50, R = 0.05, alpha = 0.2: h = 0.05 ln(1/4) + 0.95 ln(19/16); n R = 2.5 is rounded up to 3
    hoeffding = (0.25**0.05 * (19 / 16) ** 0.95) ** -50
    assert hoeffding < np.e * binomial_tail(50, Fraction(1, 5), 3)
    assert Promise(0.8, 0.9).p_value(np.array([0.05]), 50)[0] == pytest.approx(hoeffding, rel=1e-9)
    # n = 200, R = 0.1525: n R = 30.5 is rounded up to 31, and Bentkus' bound is the smaller one
    h = 0.1525 * np.log(0.1525 / 0.2) + 0.8475 * np.log(0.8475 / 0.8)
    bentkus = np.e * binomial_tail(200, Fraction(1, 5), 31)
    assert bentkus < np.exp(-200 * h)
    assert Promise(0.8, 0.9).p_value(np.array([0.1525]), 200)[0] == pytest.approx(bentkus, rel=1e-9)
    # Nothing missed: Hoeffding's bound is the exact 0.8^50, Bentkus' e times that.
    assert Promise(0.8, 0.9).p_value(np.array([0.0]), 50)[0] == pytest.approx(0.8**50, rel=1e-9)
    # More is missed than allowed: no evidence at all.
    assert Promise(0.8, 0.9).p_value(np.array([0.3]), 50)[0] == 1


def binomial_tail(n: int, p: Fraction, most: int) -> float:
    return float(sum(comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(most + 1)))


@pytest.mark.parametrize("loss", ["share", "any"])
@pytest.mark.parametrize(
    ("sensitivity", "confidence", "needed"),
    [(0.9, None, 9), (0.8, None, 4), (0.95, None, 19), (0.9, 0.9, 22), (0.8, 0.9, 11), (0.95, 0.95, 59), (0.5, 0.5, 1)],
)
def test_patients_needed_is_the_first_number_that_can_keep_the_promise(
    sensitivity: float, confidence: float | None, needed: int, loss: Loss
) -> None:
    promise = Promise(sensitivity, confidence, loss)
    nothing_missed = np.zeros(1)
    assert promise.patients_needed == needed
    assert promise.kept(nothing_missed, needed).all()
    assert needed == 1 or not promise.kept(nothing_missed, needed - 1).any()
    entry = np.arange(float(needed))
    assert find_limit(entry, np.arange(needed), promise).entry == needed - 1
    if needed > 1:
        with pytest.raises(InputError, match=f"{needed - 1} patients .* too few .* it takes at least {needed}"):
            find_limit(entry[1:], np.arange(needed - 1), promise)


@pytest.mark.parametrize("bad", [{"sensitivity": 1.0}, {"sensitivity": 0.0}, {"sensitivity": 0.9, "confidence": 1.0}])
def test_impossible_levels_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match=r"outside \(0, 1\)"):
        Promise(**bad)


def test_the_simulated_truth_is_true() -> None:
    entry, patient = draw(200_000, seed=7)
    for k in (1.0, 5.0, 40.0):
        for loss in ("share", "any"):
            limits, losses = mean_losses(entry, patient, loss)
            assert losses[limits == k][0] == pytest.approx(float(true_loss(k, loss)), abs=0.004)


@pytest.mark.parametrize("loss", ["share", "any"])
@pytest.mark.parametrize(("patients", "sensitivity"), [(30, 0.8), (60, 0.9), (250, 0.9)])
def test_with_confidence_the_promise_is_kept_in_500_cohorts(patients: int, sensitivity: float, loss: Loss) -> None:
    assert not trial(Promise(sensitivity, 0.9, loss), patients).broken


@pytest.mark.parametrize("loss", ["share", "any"])
@pytest.mark.parametrize(("patients", "sensitivity"), [(10, 0.8), (30, 0.9), (250, 0.9)])
def test_on_average_the_promise_is_kept_over_500_cohorts(patients: int, sensitivity: float, loss: Loss) -> None:
    assert not trial(Promise(sensitivity, None, loss), patients).broken


def test_an_exact_bound_fails_nearly_as_often_as_it_may() -> None:
    # Lists that keep the promise in every cohort would be longer than they need to be.
    assert trial(Promise(0.9, 0.9, "any"), 250).kept < 0.97


@pytest.mark.parametrize(("promise", "patients"), [(Promise(0.8, 0.9), 30), (Promise(0.9, None, "any"), 30)])
def test_a_list_without_a_margin_breaks_the_promise(
    monkeypatch: pytest.MonkeyPatch, promise: Promise, patients: int
) -> None:
    # What the tests above see if the margin is forgotten: the list that just reaches the sensitivity.
    def no_margin(self: Promise, mean_loss: Floats, _patients: int) -> Flags:
        return np.asarray(mean_loss <= self.alpha + 1e-9)

    monkeypatch.setattr(Promise, "kept", no_margin)
    assert trial(promise, patients).broken
