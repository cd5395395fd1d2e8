"""Simulated rows next to real ones; other simulated rows stand in for real ones."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cohort.simulator import simulate, write_folder
from engine.errors import InputError
from engine.files import read_json
from tests.uglyduck.conftest import Command
from uglyduck.studies.real_rows import next_to_real, read_real

Halves = tuple[pl.DataFrame, pl.DataFrame]


@pytest.fixture(scope="module")
def halves() -> Halves:
    """Every other lesion of one cohort, each as of a patient of its own: a few patients would differ by themselves."""
    table = simulate(3_000, seed=1, malignant=240).metadata.with_columns(patient_id="isic_id")
    return table[::2], table[1::2]


def test_rows_of_one_model_cannot_be_told_apart(halves: Halves) -> None:
    simulated, real = halves
    beside = next_to_real(simulated, real)
    assert beside.lesions == 1_500
    assert beside.apart["benign"].rows + beside.apart["malignant"].rows == pytest.approx(1_500, abs=50)
    assert beside.apart["benign"].auc == pytest.approx(0.5, abs=0.05)
    assert beside.apart["malignant"].auc == pytest.approx(0.5, abs=0.15)
    assert all(0.1 < value < 0.2 for value in beside.carried.values())
    assert beside == next_to_real(simulated, real.sample(fraction=1.0, shuffle=True).sort("isic_id"))


def test_a_column_that_is_off_is_named(halves: Halves) -> None:
    simulated, real = halves
    found = next_to_real(simulated, real.with_columns(pl.col("tbp_lv_stdL") + 3.0)).apart["benign"]
    assert found.auc > 0.95
    assert next(iter(found.columns)) == "tbp_lv_stdL"


def test_the_audit_shows_and_writes_both(tmp_path: Path, command: Command) -> None:
    write_folder(tmp_path / "real", 800, seed=2, malignant=60)
    real = tmp_path / "real/train-metadata.csv"
    done = command("simulate", tmp_path / "out", "--lesions", "800", "--malignant", "60", "--audit", "--real", real)
    assert "Real rows (800, 60 malignant) told from as many simulated ones" in done.stdout
    assert "simulated, scored on real" in done.stdout
    written = read_json(tmp_path / "out/audit.json")["real_rows"]
    assert written["malignant"] == 60
    assert set(written["told_apart"]) == {"benign", "malignant"}


def test_what_cannot_be_compared_with_is_refused(tmp_path: Path, halves: Halves, command: Command) -> None:
    table = tmp_path / "train-metadata.csv"
    others = halves[1]
    others.filter((pl.col("target") == 0) | (pl.int_range(pl.len()) < 200)).write_csv(table)
    with pytest.raises(InputError, match="malignant lesions are too few to compare with"):
        read_real(table)
    others.drop("tbp_lv_x").write_csv(table)
    with pytest.raises(InputError, match=r"there is no tbp_lv_x\. compare with a labelled table of SLICE-3D"):
        read_real(table)
    done = command("simulate", tmp_path / "out", "--real", table, check=False)
    assert done.returncode == 2
    assert "--real is what the audit compares with, and there is none. add --audit." in done.stderr
    assert not (tmp_path / "out").exists()
