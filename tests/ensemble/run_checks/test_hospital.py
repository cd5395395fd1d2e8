"""Whether the hospital can be told from the features: one model a hospital against the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from cohort.findings import Finding
from engine.results import ResultStore
from ensemble.jobs import JobRunner
from ensemble.matrix import FeatureSpace
from ensemble.run_checks.hospital import _accuracy, telltale_hospital
from tests.ensemble.jobs.executors import Remembering

HOSPITALS, PATIENTS, LESIONS = 3, 12, 15


def _ask(folder: Path, told: float, *, fold: npt.NDArray[np.int8] | None = None, skip: tuple[str, ...] = ()) -> Finding:
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
        runner=JobRunner(ResultStore(folder), Remembering()),
    )


def test_a_camera_that_gives_its_hospital_away_is_found(tmp_path: Path) -> None:
    found = _ask(tmp_path, told=20.0)
    assert found.status == "found"
    assert found.values["balanced_accuracy"] > 0.95
    assert found.values["chance"] == pytest.approx(1 / 3)
    assert found.values["telling"][0] == "tone"


@pytest.mark.parametrize("arguments", [{"told": 0.0}, {"told": 20.0, "skip": ("tone",)}])
def test_what_tells_patients_apart_but_not_hospitals_is_clear(tmp_path: Path, arguments: dict[str, Any]) -> None:
    found = _ask(tmp_path, **arguments)
    assert found.status == "clear"
    assert found.values["balanced_accuracy"] < 1 / 3 + 3 * found.values["standard_error"]


def test_a_small_hospital_is_told_as_well_as_a_large_one(tmp_path: Path) -> None:
    """Two hospitals, 30 and 10 patients, that "tone" tells apart halfway: neither is guessed for the other's sake."""
    generator = np.random.default_rng(0)
    patient = np.repeat(np.arange(40), LESIONS)
    small = patient % 4 == 0
    tone = small + generator.normal(size=len(patient))
    table = pl.DataFrame({"isic_id": [str(row) for row in range(len(patient))], "tone": tone})
    found = telltale_hospital(
        FeatureSpace.fit(table).encode(table),
        ["tone"],
        pl.Series(np.where(small, "small", "large")),
        pl.Series([f"IP_{one:02d}" for one in patient]),
        (patient // 4 % 3).astype(np.int8),
        runner=JobRunner(ResultStore(tmp_path), Remembering()),
    )
    # the best cut, halfway between means one standard deviation apart, is right 69 % of the time on both sides
    assert found.values["balanced_accuracy"] == pytest.approx(0.69, abs=0.08)


def test_a_second_check_trains_nothing(tmp_path: Path) -> None:
    first = _ask(tmp_path, told=20.0)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.result")}
    assert len(files) == HOSPITALS * 3
    assert _ask(tmp_path, told=20.0) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.result")} == files


def test_hospitals_held_out_whole_cannot_be_told_apart(tmp_path: Path) -> None:
    whole = (np.repeat(np.arange(HOSPITALS * PATIENTS), LESIONS) % HOSPITALS).astype(np.int8)
    assert _ask(tmp_path, told=20.0, fold=whole).status == "not applicable"


def test_each_patient_and_each_hospital_weighs_the_same() -> None:
    # hospital 0: patient a 1 of 1, patient b 0 of 3, mean 1/2, variance 1/2; hospital 1: c 1 of 2, d 1 of 2, mean 1/2
    code = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    right = np.array([True, False, False, False, True, False, True, False])
    accuracy, error = _accuracy(code, right, pl.Series(list("abbbccdd")))
    assert accuracy == pytest.approx(0.5)
    assert error == pytest.approx(np.sqrt(0.5 / 2) / 2)
