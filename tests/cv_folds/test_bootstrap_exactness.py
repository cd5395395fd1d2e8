"""The matrices give what sorting gives: every metric, any weights, ties, zeros, subsets."""

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from cv_folds.bootstrap.units import Units
from cv_folds.bootstrap.views import ScoredView, scored_view, view_slots
from cv_folds.metrics import METRICS, RetrievalMetric
from cv_folds.metrics.retrieval import expected_retrieval


def direct(
    name: str,
    target: NDArray[np.int64],
    score: NDArray[np.float64],
    patient: NDArray[np.int64],
    weight: ArrayLike | None = None,
) -> float:
    """The metric itself; of a retrieval metric with the weight of each lesion's patient."""
    metric = METRICS[name]
    if not isinstance(metric, RetrievalMetric):
        return metric(target, score, weight=weight)
    carriers, share = expected_retrieval(target == 1, score, patient, k=metric.k)
    of_patient = np.zeros(patient.max() + 1)
    of_patient[patient] = 1.0 if weight is None else weight
    return float(np.average(share, weights=of_patient[carriers]))


def a_view(sample, inside: NDArray[np.bool_] | None = None) -> tuple[Units, ScoredView]:  # noqa: ANN001
    malignant = sample.target == 1
    slots = view_slots(np.ones(malignant.size, dtype=bool) if inside is None else inside, malignant, sample.score)
    units = Units(np.arange(malignant.size), sample.patient, np.ones(sample.patient.max() + 1, dtype=np.int64))
    return units, scored_view(list(METRICS.values()), units, slots, malignant, sample.score)


@pytest.mark.parametrize("levels", [None, 2, 12])
@pytest.mark.parametrize("seed", range(12))
def test_equals_the_direct_weighted_metrics(lesions, seed: int, levels: int | None) -> None:  # noqa: ANN001
    sample = lesions(seed, levels=levels)
    units, view = a_view(sample)
    generator = np.random.default_rng(seed)
    whole = generator.integers(0, 4, size=(units.size, 12))
    fractional = generator.random((units.size, 12)) * generator.integers(0, 2, size=(units.size, 12))
    for weights in (whole.astype(float), fractional):
        values = view.drawn(weights)
        for column in range(weights.shape[1]):
            weight = weights[sample.patient, column]
            if not (weight[sample.target == 1].any() and weight[sample.target == 0].any()):
                assert np.isnan(values[:, column]).all()
                continue
            for row, name in enumerate(METRICS):
                expected = direct(name, sample.target, sample.score, sample.patient, weight)
                assert values[row, column] == pytest.approx(expected, rel=1e-12, abs=1e-12), name


@pytest.mark.parametrize("seed", range(6))
def test_drawing_a_patient_twice_is_having_two_such_patients(lesions, seed: int) -> None:  # noqa: ANN001
    sample = lesions(seed, levels=8)
    units, view = a_view(sample)
    draws = np.random.default_rng(seed).integers(0, units.size, size=units.size)
    rows = np.concatenate([np.flatnonzero(sample.patient == drawn) for drawn in draws])
    again = np.concatenate([np.full((sample.patient == drawn).sum(), new) for new, drawn in enumerate(draws)])
    values = view.drawn(np.bincount(draws, minlength=units.size)[:, np.newaxis].astype(float))[:, 0]
    target, score = sample.target[rows], sample.score[rows]
    for row, name in enumerate(METRICS):
        expected = direct(name, target, score, again)
        assert values[row] == pytest.approx(expected, rel=1e-12, abs=1e-12), name


@pytest.mark.parametrize("seed", range(6))
def test_a_view_counts_its_own_rows_only(lesions, seed: int) -> None:  # noqa: ANN001
    sample = lesions(seed, levels=8)
    inside = np.random.default_rng(seed).random(sample.target.size) < 0.6
    inside[[0, -1]] = True
    units, view = a_view(sample, inside)
    values = view.drawn(np.ones((units.size, 2)))[:, 0]
    target, score, patient = sample.target[inside], sample.score[inside], sample.patient[inside]
    for row, name in enumerate(METRICS):
        expected = direct(name, target, score, patient)
        assert values[row] == pytest.approx(expected, rel=1e-12, abs=1e-12), name


@pytest.mark.parametrize("seed", range(6))
def test_leaving_out_equals_weight_zero(lesions, seed: int) -> None:  # noqa: ANN001
    units, view = a_view(lesions(seed, levels=8))
    left_out = view.left_out(units.multiplicity)
    expected = view.drawn(1.0 - np.eye(units.size))
    np.testing.assert_allclose(left_out, expected, rtol=1e-12, atol=1e-12, equal_nan=True)


def test_leaving_out_works_in_chunks(lesions, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
    units, view = a_view(lesions(1))
    whole = view.left_out(units.multiplicity)
    monkeypatch.setattr("cv_folds.bootstrap.views.LEFT_OUT_CHUNK", 7)
    np.testing.assert_array_equal(view.left_out(units.multiplicity), whole)


def test_without_malignant_lesions_nothing_is_defined(lesions) -> None:  # noqa: ANN001
    sample = lesions(2)
    units, view = a_view(sample)
    healthy = np.ones((units.size, 1))
    healthy[np.unique(sample.patient[sample.target == 1])] = 0
    assert np.isnan(view.drawn(healthy)).all()
    assert np.isnan(view.drawn(np.zeros((units.size, 1)))).all()
