from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cohort.official_files import official_tables, resolve_table
from cohort.reading import read_cohort
from engine.errors import InputError

Rows = Callable[..., pl.DataFrame]
Write = Callable[..., Path]


@pytest.mark.parametrize("name", ["train-metadata.csv", "train-metadata.csv.gz", "train-metadata.parquet"])
def test_the_train_table_comes_before_the_test_table(name: str, tmp_path: Path) -> None:
    for file in (name, "test-metadata.csv", "sample_submission.csv", "train-image.hdf5"):
        (tmp_path / file).touch()
    assert resolve_table(tmp_path) == tmp_path / name


def test_version_2_comes_before_version_1(tmp_path: Path) -> None:
    for file in ("ISIC_2020_Training_GroundTruth.csv", "ISIC_2020_Training_GroundTruth_v2.csv"):
        (tmp_path / file).touch()
    assert resolve_table(tmp_path).name == "ISIC_2020_Training_GroundTruth_v2.csv"
    assert list(official_tables(tmp_path)) == ["ISIC_2020_Training_GroundTruth_v2", "ISIC_2020_Training_GroundTruth"]


def test_a_name_without_suffix_is_found(tmp_path: Path) -> None:
    (tmp_path / "HAM10000_metadata").touch()
    assert resolve_table(tmp_path) == tmp_path / "HAM10000_metadata"


def test_a_folder_is_read_by_the_official_name(slice3d: Rows, write: Write) -> None:
    path = write(slice3d(6), "train-metadata.csv")
    assert read_cohort(path.parent).frame.equals(read_cohort(path).frame)


def test_a_folder_without_tables_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no known table in this folder.*train-metadata\.csv"):
        resolve_table(tmp_path)


def test_a_folder_with_several_datasets_asks_for_the_file(tmp_path: Path) -> None:
    for file in ("HAM10000_metadata.csv", "ISIC2018_Task3_Training_GroundTruth.csv"):
        (tmp_path / file).touch()
    with pytest.raises(InputError, match=r"several datasets in one folder \(HAM10000, ISIC 2018 task 3 ground truth\)"):
        resolve_table(tmp_path)
