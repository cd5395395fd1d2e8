"""`uglyduck predict`: valid submissions, and one lesion scored alone as in the batch."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cohort.reading import read_cohort
from engine.errors import InputError
from submissions.crops import Compute
from submissions.fitted_run import FittedRun
from tests.uglyduck.conftest import Command
from uglyduck.run.run import open_run


def table(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False)


@pytest.fixture(scope="module")
def test_table(small: Path) -> pl.DataFrame:
    return table(small / "data/test-metadata.csv")


def predict(command: Command, run: Path, frame: pl.DataFrame, folder: Path) -> pl.DataFrame:
    frame.write_csv(folder / "test.csv")
    command("predict", run, "--metadata", folder / "test.csv", "--out", folder / "submission.csv")
    return pl.read_csv(folder / "submission.csv", schema={"isic_id": pl.String, "target": pl.Float64})


@pytest.fixture(scope="module")
def whole(
    command: Command, finished: Path, test_table: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> pl.DataFrame:
    return predict(command, finished, test_table, tmp_path_factory.mktemp("whole"))


def test_rows_are_in_the_order_of_the_test_table(whole: pl.DataFrame, test_table: pl.DataFrame) -> None:
    assert whole["isic_id"].equals(test_table["isic_id"])
    assert whole["target"].is_between(0, 1).all()
    assert whole["target"].n_unique() > 100


def test_any_row_order_and_any_batch_gives_the_same_bits(
    command: Command, finished: Path, test_table: pl.DataFrame, whole: pl.DataFrame, tmp_path: Path
) -> None:
    shuffled = predict(command, finished, test_table.sample(fraction=1, shuffle=True, seed=3), tmp_path)
    assert shuffled.sort("isic_id").equals(whole.sort("isic_id"))


def test_each_patient_alone_gets_the_bits_of_the_batch(finished: Path, small: Path, whole: pl.DataFrame) -> None:
    fitted = FittedRun.load(finished, Compute(2))
    cohort = read_cohort(small / "data/test-metadata.csv")
    patients = cohort.frame["patient_id"].unique(maintain_order=True)
    for patient in patients[:: max(1, len(patients) // 6)]:
        rows = cohort.frame.filter(pl.col("patient_id") == patient)
        alone = fitted.score(rows)
        expected = whole.filter(pl.col("isic_id").is_in(rows["isic_id"].implode())).sort("isic_id")["target"]
        assert alone.sort("isic_id")["blend"].equals(expected, null_equal=False)


def test_blocks_of_whole_patients_change_no_bit(
    finished: Path, small: Path, monkeypatch: pytest.MonkeyPatch, whole: pl.DataFrame
) -> None:
    monkeypatch.setattr("submissions.fitted_run._BLOCK", 50)
    scores = FittedRun.load(finished, Compute(2)).score(read_cohort(small / "data/test-metadata.csv").frame)
    assert scores.sort("isic_id")["blend"].equals(whole.sort("isic_id")["target"])


def test_three_patients_with_a_lesion_each_are_scored(
    command: Command, finished: Path, test_table: pl.DataFrame, tmp_path: Path
) -> None:
    placeholder = test_table.unique("patient_id", keep="first", maintain_order=True).head(3)
    assert predict(command, finished, placeholder, tmp_path).height == 3


def test_unseen_hospitals_categories_and_missing_values_are_scored(
    command: Command, finished: Path, test_table: pl.DataFrame, tmp_path: Path
) -> None:
    strange = test_table.with_columns(
        attribution=pl.lit("A hospital on the moon"),
        tbp_lv_location=pl.lit("Third arm"),
        anatom_site_general=pl.lit(None, pl.String),
        sex=pl.lit(None, pl.String),
        age_approx=pl.lit("NA"),
    )
    assert predict(command, finished, strange, tmp_path)["target"].is_finite().all()


def test_columns_absent_in_the_test_table_are_scored_as_missing_and_named(
    command: Command, finished: Path, test_table: pl.DataFrame, tmp_path: Path
) -> None:
    test_table.drop("age_approx", "tbp_lv_eccentricity", "attribution").write_csv(tmp_path / "test.csv")
    said = command("predict", finished, "--metadata", tmp_path / "test.csv", "--out", tmp_path / "s.csv").stderr
    assert "WARNING: 2 columns are absent or empty (age_approx, tbp_lv_eccentricity), " in said
    assert pl.read_csv(tmp_path / "s.csv")["target"].is_finite().all()


def test_an_odd_cell_costs_its_value_and_no_submission_unless_that_is_asked_for(
    command: Command, finished: Path, test_table: pl.DataFrame, whole: pl.DataFrame, tmp_path: Path
) -> None:
    odd = pl.col("isic_id") == test_table["isic_id"][7]
    marred = test_table.with_columns(pl.when(odd).then(pl.lit("12 mm")).otherwise("tbp_lv_A").alias("tbp_lv_A"))
    marred.write_csv(tmp_path / "test.csv")
    said = command("predict", finished, "--metadata", tmp_path / "test.csv", "--out", tmp_path / "s.csv").stderr
    assert "column tbp_lv_A, row 8 (line 9): '12 mm' is not a number; counts as missing" in said
    scored = pl.read_csv(tmp_path / "s.csv")
    others = test_table["patient_id"] != test_table["patient_id"][7]
    assert scored.filter(others).equals(whole.filter(others))
    assert scored["target"].is_finite().all()
    strict = ("predict", finished, "--metadata", tmp_path / "test.csv", "--out", tmp_path / "strict.csv", "--strict")
    done = command(*strict, check=False)
    assert (done.returncode, (tmp_path / "strict.csv").exists()) == (2, False)
    assert "column tbp_lv_A, row 8 (line 9): '12 mm' is not a number. write numbers as 1.5" in done.stderr


@pytest.mark.parametrize("key", ["isic_id", "patient_id"])
def test_a_test_table_without_ids_or_patients_is_refused(
    command: Command, finished: Path, test_table: pl.DataFrame, tmp_path: Path, key: str
) -> None:
    test_table.drop(key).write_csv(tmp_path / "test.csv")
    done = command("predict", finished, "--metadata", tmp_path / "test.csv", "--out", tmp_path / "s.csv", check=False)
    assert done.returncode == 2
    assert f"column {key} is missing" in done.stderr
    assert not (tmp_path / "s.csv").exists()


@pytest.mark.parametrize("name", ["models/catboost/fold0-seed0.cbm", "blend.json", "features.json"])
def test_a_damaged_run_is_refused_and_an_earlier_submission_kept(
    command: Command, copied: Path, small: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "submission.csv").write_text("earlier")
    (copied / name).write_bytes((copied / name).read_bytes()[:-40])
    data = small / "data/test-metadata.csv"
    done = command("predict", copied, "--metadata", data, "--out", tmp_path / "submission.csv", check=False)
    assert done.returncode == 2
    assert Path(name).name in done.stderr
    assert (tmp_path / "submission.csv").read_text() == "earlier"


def test_a_folder_without_a_run_is_explained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="this folder holds no run"):
        open_run(tmp_path)


def test_the_real_public_test_rows_are_scored(
    command: Command, finished: Path, real_data: Path, tmp_path: Path
) -> None:
    example = real_data / "slice3d/example"
    command("predict", finished, "--metadata", example / "test-metadata.csv", "--out", tmp_path / "submission.csv")
    written, sample = table(tmp_path / "submission.csv"), table(example / "sample_submission.csv")
    assert written.columns == sample.columns
    assert written["isic_id"].equals(sample["isic_id"])
