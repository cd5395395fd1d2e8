"""The readers on published files; the same is asked of simulated tables in the other tests."""

from pathlib import Path

import polars as pl
import pytest

from cohort.checking import check_data
from cohort.columns import SLICE3D
from cohort.reading import read_cohort


def test_the_full_rows_of_slice3d(real_data: Path) -> None:
    cohort = read_cohort(real_data / "slice3d/example/train-metadata.csv", labels="required")
    assert cohort.frame.shape == (25, 55)
    assert cohort.frame["target"].sum() == 3
    assert dict(cohort.frame.schema) == {column.name: column.dtype for column in SLICE3D}
    assert cohort.given_order[0] == "ISIC_0015670"


def test_the_public_test_rows_of_slice3d(real_data: Path) -> None:
    cohort = read_cohort(real_data / "slice3d/example/test-metadata.csv")
    assert cohort.frame.shape == (3, 44)
    assert cohort.given_order.to_list() == ["ISIC_0015657", "ISIC_0015729", "ISIC_0015740"]


def test_the_example_folder_passes_the_check(real_data: Path) -> None:
    findings = check_data(real_data / "slice3d/example")
    assert {finding.severity for finding in findings if finding.status == "found"} == {"info"}
    assert any(finding.code == "UD122" and finding.status == "clear" for finding in findings)


@pytest.mark.parametrize("version", ["", "_v2"])
def test_isic2020(version: str, real_data: Path) -> None:
    path = real_data / f"isic2020/ISIC_2020_Training_GroundTruth{version}.csv"
    frame = read_cohort(path, labels="required").frame
    assert (len(frame), frame["patient_id"].n_unique(), frame["target"].sum()) == (23107, 1446, 385)
    assert frame["age_approx"].null_count() == 68
    assert not [finding for finding in check_data(path) if finding.status == "found" and finding.severity != "info"]


def test_both_versions_of_isic2020_say_the_same(real_data: Path) -> None:
    first, second = (
        read_cohort(real_data / f"isic2020/ISIC_2020_Training_GroundTruth{version}.csv").frame
        for version in ("", "_v2")
    )
    assert first.equals(second.drop("lesion_id"))


def test_isic2020_with_simulated_duplicates(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "isic2020/ISIC_2020_Training_GroundTruth.csv"
    whole = read_cohort(path).frame
    ids = whole["isic_id"].sample(850, seed=0)
    pairs = pl.DataFrame({"image_name_1": ids[:425], "image_name_2": ids[425:]})
    pairs.write_csv(tmp_path / "pairs.csv")
    dropped = read_cohort(path, duplicates=tmp_path / "pairs.csv").frame
    grouped = read_cohort(path, duplicates=tmp_path / "pairs.csv", duplicate_policy="group").frame
    assert (len(dropped), len(grouped)) == (23107 - 425, 23107)
    group_of = dict(grouped.select("isic_id", "group").iter_rows())
    assert all(group_of[one] == group_of[other] for one, other in pairs.iter_rows())


def test_ham10000(real_data: Path) -> None:
    frame = read_cohort(real_data / "ham10000/HAM10000_metadata.csv", labels="required").frame
    assert (len(frame), frame["target"].sum()) == (5984, 491 + 264 + 183)
    assert frame["age_approx"].null_count() == 36
    assert not [finding for finding in check_data(real_data / "ham10000") if finding.is_error]


def test_crops_with_labels_and_few_columns_are_read(real_data: Path) -> None:
    path = real_data / "slice3d/crops.csv"
    cohort = read_cohort(path, labels="required")
    frame = cohort.frame
    assert (len(frame), frame["target"].sum()) == (9926, 302)
    (absent,) = [finding for finding in cohort.findings if finding.code == "UD115"]
    assert len(absent.values["columns"]) == 35
