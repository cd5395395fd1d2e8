"""Small cohorts with known structure."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray


@dataclass(frozen=True)
class Lesions:
    target: NDArray[np.int8]
    score: NDArray[np.float64]
    other: NDArray[np.float64]
    patient: NDArray[np.int64]

    @property
    def ids(self) -> NDArray[np.str_]:
        return np.array([f"IP_{number:07d}" for number in self.patient])


def draw_lesions(seed: int, patients: int = 40, *, mean_size: float = 12, levels: int | None = None) -> Lesions:
    """Patients of unequal size, a third with malignant lesions; `levels` rounds scores into that many ties."""
    generator = np.random.default_rng(seed)
    sizes = 1 + generator.poisson(generator.exponential(mean_size, patients))
    patient = np.repeat(np.arange(patients), sizes)
    carrier = np.flatnonzero(generator.random(patients) < 1 / 3)
    target = ((generator.random(patient.size) < 0.2) & np.isin(patient, carrier)).astype(np.int8)
    target[0], target[-1] = 1, 0
    score = generator.normal(size=patient.size) + 1.5 * target
    other = score + generator.normal(size=patient.size)
    if levels:
        score, other = (np.round(column * levels / 6) for column in (score, other))
    return Lesions(target, score, other, patient)


@pytest.fixture
def lesions() -> Callable[..., Lesions]:
    return draw_lesions


@pytest.fixture
def cohort() -> Callable[..., pl.DataFrame]:
    """isic_id, patient_id, target and attribution of a cohort from (rows, malignant) of each patient."""

    def build(patients: list[tuple[int, int]], hospitals: list[str] | None = None) -> pl.DataFrame:
        rows = [
            {
                "patient_id": f"IP_{number:04d}",
                "target": int(lesion < malignant),
                "attribution": (hospitals or ["H"])[number % len(hospitals or ["H"])],
            }
            for number, (size, malignant) in enumerate(patients)
            for lesion in range(size)
        ]
        frame = pl.DataFrame(rows, schema_overrides={"target": pl.Int8})
        return frame.with_columns(pl.format("ISIC_{}", pl.int_range(pl.len()).cast(pl.String)).alias("isic_id"))

    return build
