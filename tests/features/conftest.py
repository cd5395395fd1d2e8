"""Small lesion tables: a hand-made one with every awkward case, and a simulated one."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from cohort.columns import CATEGORICAL, NUMERIC
from cohort.simulator import simulate
from features.patients.state import FeatureState

Lesions = Callable[..., pl.DataFrame]


def _lesions(sizes: dict[str, int], seed: int = 0) -> pl.DataFrame:
    """Random lesions, rounded so that ties occur, for patients of the given sizes; sorted by (patient_id, isic_id)."""
    rng = np.random.default_rng(seed)
    patients = [name for name, size in sizes.items() for _ in range(size)]
    n = len(patients)
    numbers = {name: rng.gamma(3.0, 2.0, n).round(1) for name in NUMERIC}
    for axis in ("tbp_lv_x", "tbp_lv_y", "tbp_lv_z"):
        numbers[axis] = rng.normal(0, 200, n).round(0)
    numbers["age_approx"] = rng.choice([40.0, 45.0, 50.0], n)
    numbers["tbp_lv_deltaL"] = -numbers["tbp_lv_deltaL"]
    levels = {name: rng.choice(["a", "b", "c"], n).tolist() for name in CATEGORICAL}
    ids = [f"ISIC_{number:07d}" for number in rng.permutation(10 * n)[:n]]
    frame = pl.DataFrame({"isic_id": ids, "patient_id": patients, **numbers, **levels})
    return frame.sort("patient_id", "isic_id")


@pytest.fixture(scope="session")
def make_lesions() -> Lesions:
    return _lesions


@pytest.fixture(scope="session")
def awkward() -> pl.DataFrame:
    """Patients with 1, 2, 3 lesions, a constant one, ties, nulls, NaN, infinities, unknown places; 60 lesions."""
    sizes = {"P1": 1, "P2": 2, "P3": 3, "P4": 4, "P5": 20, "P6": 30}
    frame = _lesions(sizes, seed=1)
    patient = pl.col("patient_id")
    place = pl.int_range(pl.len()).over("patient_id")
    constant = [pl.when(patient == "P4").then(0.1).otherwise(pl.col(name)).alias(name) for name in NUMERIC]
    frame = frame.with_columns(constant)
    broken = {
        "tbp_lv_A": [(patient == "P5") & (place == 3)],
        "clin_size_long_diam_mm": [patient == "P2"],
        "tbp_lv_B": [(patient == "P6") & (place < 29)],
        "tbp_lv_x": [(patient == "P6") & (place == 7)],
    }
    for name, masks in broken.items():
        frame = frame.with_columns(pl.when(pl.any_horizontal(masks)).then(None).otherwise(pl.col(name)).alias(name))
    frame = frame.with_columns(
        pl.when((patient == "P5") & (place == 4)).then(float("nan")).otherwise("tbp_lv_L").alias("tbp_lv_L"),
        pl.when((patient == "P5") & (place == 5)).then(float("inf")).otherwise("tbp_lv_C").alias("tbp_lv_C"),
        pl.when((patient == "P6") & (place == 6)).then(float("-inf")).otherwise("tbp_lv_H").alias("tbp_lv_H"),
        pl.when(place.is_in([1, 2])).then(None).otherwise("anatom_site_general").alias("anatom_site_general"),
        pl.when(place.is_in([0, 1])).then(pl.lit("Unknown")).otherwise("tbp_lv_location").alias("tbp_lv_location"),
        pl.when((patient == "P6") & (place == 9)).then(None).otherwise("age_approx").alias("age_approx"),
    )
    return frame.with_columns(pl.Series("target", [0, 1] * 30, dtype=pl.Int8))


@pytest.fixture(scope="session")
def simulated() -> pl.DataFrame:
    """1,500 simulated lesions in canonical order."""
    return simulate(1500, seed=3).metadata.sort("patient_id", "isic_id")


@pytest.fixture(scope="session")
def plain_state() -> FeatureState:
    """Constants that shrink nothing: deviations are the patient's own."""
    return FeatureState()
