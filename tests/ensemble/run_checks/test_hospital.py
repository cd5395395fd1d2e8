from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from cohort.findings import Finding
from ensemble.matrix import FeatureSpace
from ensemble.run_checks.hospital import _accuracy, telltale_hospital

HOSPITALS, PATIENTS, LESIONS = 3, 12, 15


def _ask(told: float, *, fold: npt.NDArray[np.int8] | None = None, skip: tuple[str, ...] = ()) -> Finding:
    """36 patients of 3 hospitals; "tone" is the hospital's number times `told`, with noise of 1 for each patient."""
    generator = np.random.default_rng(0)
    patient = np.repeat(np.arange(HOSPITALS * PATIENTS), LESIONS)
    hospital = patient % HOSPITALS
    tone = told * hospital + generator.normal(size=HOSPITALS * PATIENTS)[patient]
    other = generator.normal(size=len(patient))
    table = pl.DataFrame({"isic_id": [str(row) for row in range(len(patient))], "tone": tone, "other": other})
    names = [name for name in ("tone", "other") if name not in skip]
    return telltale_hospital(
        FeatureSpace.fit(table).encode(table),
        names,
        pl.Series([f"Hospital {one}" for one in hospital]),
        pl.Series([f"IP_{one:02d}" for one in patient]),
        (patient // HOSPITALS % 3).astype(np.int8) if fold is None else fold,
        threads=1,
    )


def test_a_camera_that_gives_its_hospital_away_is_found() -> None:
    found = _ask(told=20.0)
    assert found.status == "found"
    assert found.values["balanced_accuracy"] > 0.95
    assert found.values["chance"] == pytest.approx(1 / 3)
    assert found.values["telling"][0] == "tone"


@pytest.mark.parametrize("arguments", [{"told": 0.0}, {"told": 20.0, "skip": ("tone",)}])
def test_what_tells_patients_apart_but_not_hospitals_is_clear(arguments: dict[str, Any]) -> None:
    found = _ask(**arguments)
    assert found.status == "clear"
    assert found.values["balanced_accuracy"] < 1 / 3 + 3 * found.values["standard_error"]


def test_hospitals_held_out_whole_can_not_be_told_apart() -> None:
    whole = (np.repeat(np.arange(HOSPITALS * PATIENTS), LESIONS) % HOSPITALS).astype(np.int8)
    assert _ask(told=20.0, fold=whole).status == "not applicable"


def test_each_patient_and_each_hospital_weighs_the_same() -> None:
    # hospital 0: patient a 1 of 1, patient b 0 of 3, mean 1/2, variance 1/2; hospital 1: c 1 of 2, d 1 of 2, mean 1/2
    code = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    right = np.array([True, False, False, False, True, False, True, False])
    accuracy, error = _accuracy(code, right, pl.Series(list("abbbccdd")))
    assert accuracy == pytest.approx(0.5)
    assert error == pytest.approx(np.sqrt(0.5 / 2) / 2)
