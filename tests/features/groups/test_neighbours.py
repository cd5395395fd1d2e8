import math

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.neighbors import LocalOutlierFactor

from features import FeatureState, build, fit
from features.arithmetic.nearest import local_outlier_factor, nearest
from features.groups.body_neighbours import COMPARED_ON_BODY
from features.groups.multivariate import DISTANCE_NUMBERS, standardised
from features.patients.block import blocks
from features.patients.measures import MEASURED


def _points(simulated: pl.DataFrame, state: FeatureState) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    (_, block), *rest = blocks(simulated, MEASURED)
    assert not rest
    return simulated["patient_id"].to_numpy(), standardised(block, state)


def test_nearest_by_hand() -> None:
    points = np.array([[0.0], [1.0], [3.0], [7.0]])
    found = nearest(points, 2)
    assert found.index.tolist() == [[1, 2], [0, 2], [0, 1], [1, 2]]
    np.testing.assert_allclose(found.distance, [[1, 3], [1, 2], [3, 2], [6, 4]], atol=1e-12)


@pytest.mark.parametrize("n", [2, 31, 40, 700])
def test_nearest_against_all_distances(n: int) -> None:
    points = np.random.default_rng(n).normal(5, 2, size=(n, 15))
    k = min(n - 1, 30)
    apart = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    found = nearest(points, k)
    np.testing.assert_allclose(np.sort(found.distance), np.sort(apart)[:, :k], atol=1e-6)
    np.testing.assert_allclose(found.distance, np.take_along_axis(apart, found.index, axis=1), atol=1e-6)


@pytest.mark.parametrize("n", [3, 20, 200])
def test_local_outlier_factor_agrees_with_scikit_learn(n: int) -> None:
    points = np.random.default_rng(n).normal(size=(n, 15))
    k = min(n - 1, 30)
    reference = -LocalOutlierFactor(n_neighbors=k, algorithm="brute").fit(points).negative_outlier_factor_
    np.testing.assert_allclose(local_outlier_factor(nearest(points, k)), reference, rtol=1e-6)


def test_coinciding_lesions_have_a_finite_factor() -> None:
    points = np.zeros((40, 15))
    points[0] = 3.0
    factor = local_outlier_factor(nearest(points, 30))
    assert np.isfinite(factor).all()
    assert factor.argmax() == 0


def test_lof_group_patient_by_patient(simulated: pl.DataFrame) -> None:
    state = fit(simulated)
    patient, points = _points(simulated, state)
    built = build(simulated, ["neighbours.lof"], state=state)
    for name in np.unique(patient)[:12]:
        mine = patient == name
        n = int(mine.sum())
        got = built.filter(pl.Series(mine))
        if n < 3:
            assert got["neighbours_lof"].to_list() == [1.0] * n
            continue
        reference = LocalOutlierFactor(n_neighbors=min(n - 1, 30)).fit(points[mine]).negative_outlier_factor_
        np.testing.assert_allclose(got["neighbours_lof"].to_numpy(), -reference, rtol=1e-5)
        apart = np.sort(np.sqrt(((points[mine][:, None] - points[mine][None]) ** 2).sum(axis=2)))
        np.testing.assert_allclose(got["neighbours_nearest"].to_numpy(), apart[:, 1], atol=1e-5)
        np.testing.assert_allclose(got["neighbours_mean_5"].to_numpy(), apart[:, 1:6].mean(axis=1), atol=1e-5)


def test_mahalanobis_patient_by_patient(simulated: pl.DataFrame) -> None:
    state = fit(simulated)
    patient, points = _points(simulated, state)
    cohort = np.array(state.covariance)
    built = build(simulated, ["neighbours.mahalanobis"], state=state)
    for name in np.unique(patient)[:6]:
        mine = np.flatnonzero(patient == name)
        for row in mine[:5]:
            others = np.setdiff1d(mine, [row])
            for column, rows in (("neighbours_mahalanobis", mine), ("neighbours_mahalanobis_loo", others)):
                around = points[rows] - points[rows].mean(axis=0)
                covariance = (around.T @ around + 16 * cohort) / (rows.size - 1 + 16)
                apart = points[row] - points[rows].mean(axis=0)
                want = math.sqrt(apart @ np.linalg.inv(covariance) @ apart) if mine.size > 1 else 0.0
                assert built[column][int(row)] == pytest.approx(want, rel=1e-5)


def test_the_fitted_covariance_is_the_pooled_one(simulated: pl.DataFrame) -> None:
    values = simulated.select(pl.col(DISTANCE_NUMBERS) - pl.col(DISTANCE_NUMBERS).mean().over("patient_id")).to_numpy()
    total = values.T @ values
    np.testing.assert_allclose(
        np.array(fit(simulated).covariance), total / np.sqrt(np.outer(np.diag(total), np.diag(total))), atol=1e-9
    )


def test_small_patients(awkward: pl.DataFrame) -> None:
    built = build(awkward, ["neighbours"])
    alone = built.filter(pl.Series(awkward["patient_id"] == "P1")).row(0, named=True)
    assert alone["neighbours_lof"] == 1.0
    assert alone["neighbours_nearest"] == 0.0
    assert alone["neighbours_mahalanobis_loo"] == 0.0
    assert alone["neighbours_beside_nearest"] is None
    assert alone["neighbours_within_50mm"] == 0.0
    assert alone["tbp_lv_A__neighbours_beside"] == 0.0
    constant = built.filter(pl.Series(awkward["patient_id"] == "P4"))
    assert constant["neighbours_mahalanobis"].to_list() == [0.0] * 4
    assert constant["neighbours_lof"].to_list() == [1.0] * 4
    assert constant["tbp_lv_A__neighbours_beside"].to_list() == [0.0] * 4


def test_neighbours_on_the_body_against_loops(awkward: pl.DataFrame) -> None:
    state = FeatureState()
    built = build(awkward, ["neighbours.beside", "patient.z"], state=state)
    rows = awkward.to_dicts()
    axes = ("tbp_lv_x", "tbp_lv_y", "tbp_lv_z")
    place = [None if any(row[axis] is None for axis in axes) else tuple(row[axis] for axis in axes) for row in rows]
    for at, row in enumerate(rows):
        got = built.row(at, named=True)
        others = [
            (math.dist(place[at], place[to]), to)  # type: ignore[arg-type]
            for to, other in enumerate(rows)
            if to != at and other["patient_id"] == row["patient_id"] and place[at] and place[to]
        ]
        near = sorted(others)[:10]
        if not near:
            assert got["neighbours_beside_nearest"] is None
            continue
        assert got["neighbours_beside_nearest"] == pytest.approx(near[0][0], rel=1e-5)
        assert got["neighbours_beside_mean"] == pytest.approx(sum(d for d, _ in near) / len(near), rel=1e-5)
        assert got["neighbours_within_50mm"] == sum(d <= 50 for d, _ in others)
        _check_deviation(rows, at, [to for _, to in near], got)


def _check_deviation(rows: list[dict[str, object]], at: int, near: list[int], got: dict[str, float]) -> None:
    name = COMPARED_ON_BODY[0]
    mine = [row[name] for row in rows if row["patient_id"] == rows[at]["patient_id"] and row[name] is not None]
    values = [value for value in (rows[to][name] for to in near) if value is not None]
    if rows[at][name] is None:
        assert got[f"{name}__neighbours_beside"] is None
        return
    sd = float(np.std(np.array(mine, dtype=float), ddof=1))
    own = (float(str(rows[at][name])) - float(np.mean(np.array(values, dtype=float)))) / sd if sd else 0.0
    want = (len(values) * own + 4 * got[f"{name}__patient_z"]) / (len(values) + 4)
    assert got[f"{name}__neighbours_beside"] == pytest.approx(want, rel=1e-4, abs=1e-5)
