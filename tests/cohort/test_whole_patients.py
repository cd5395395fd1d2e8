from pathlib import Path

import polars as pl
import pytest

from cohort.whole_patients import cuts, first_rows, read_whole_patients, whole_patients
from engine.errors import InputError

SIZES = {"P": 3, "Q": 1, "R": 4, "S": 2}


@pytest.fixture(scope="module")
def lesions() -> pl.DataFrame:
    patients = [name for name, size in SIZES.items() for _ in range(size)]
    return pl.DataFrame({"isic_id": [f"{row:02d}" for row in range(10)], "patient_id": patients, "size": range(10)})


def _patients(blocks: list[pl.DataFrame]) -> list[str]:
    return ["".join(block["patient_id"].unique(maintain_order=True)) for block in blocks]


def test_first_rows(lesions: pl.DataFrame) -> None:
    assert first_rows(lesions["patient_id"]).tolist() == [0, 3, 4, 8]
    assert first_rows(lesions["patient_id"].clear()).tolist() == []


@pytest.mark.parametrize(
    ("rows", "blocks"), [(1, ["P", "Q", "R", "S"]), (4, ["PQ", "R", "S"]), (5, ["PQR", "S"]), (10, ["PQRS"])]
)
def test_a_block_has_the_rows_asked_for_and_only_the_last_has_fewer(
    lesions: pl.DataFrame, rows: int, blocks: list[str]
) -> None:
    found = list(whole_patients(lesions, rows))
    assert _patients(found) == blocks
    assert pl.concat(found).equals(lesions)
    assert [begin for begin, _ in cuts(lesions["patient_id"], rows)] == [block["size"][0] for block in found]


def test_nothing_to_cut(lesions: pl.DataFrame) -> None:
    assert list(whole_patients(lesions.clear(), 5)) == []


@pytest.mark.parametrize("rows", [1, 2, 4, 5, 10, 100])
@pytest.mark.parametrize("row_group", [1, 3, 10])
def test_reading_never_cuts_a_patient(lesions: pl.DataFrame, rows: int, row_group: int, tmp_path: Path) -> None:
    lesions.write_parquet(tmp_path / "lesions.parquet", row_group_size=row_group)
    found = list(read_whole_patients(tmp_path / "lesions.parquet", rows))
    assert "".join(_patients(found)) == "PQRS"
    assert all(block.height >= rows for block in found[:-1])
    assert pl.concat(found).equals(lesions)


def test_only_the_columns_asked_for_are_read(lesions: pl.DataFrame, tmp_path: Path) -> None:
    lesions.with_columns(other=1).write_parquet(tmp_path / "lesions.parquet")
    (block,) = read_whole_patients(tmp_path / "lesions.parquet", 100, ["size", "absent"])
    assert block.columns == ["isic_id", "patient_id", "size"]


def test_an_empty_file(lesions: pl.DataFrame, tmp_path: Path) -> None:
    lesions.clear().write_parquet(tmp_path / "lesions.parquet")
    assert list(read_whole_patients(tmp_path / "lesions.parquet", 5)) == []


@pytest.mark.parametrize(
    "order",
    [[1, 0, *range(2, 10)], [*range(5), 9, 5, 6, 7, 8], [0, 0, *range(2, 10)]],
    ids=["lesions of a patient", "patients", "a lesion twice"],
)
def test_a_table_out_of_order_is_refused(lesions: pl.DataFrame, order: list[int], tmp_path: Path) -> None:
    lesions[order].write_parquet(tmp_path / "lesions.parquet")
    for rows in (1, 3, 100):
        with pytest.raises(InputError, match="not sorted by patient_id and isic_id"):
            list(read_whole_patients(tmp_path / "lesions.parquet", rows))


@pytest.mark.parametrize("key", ["isic_id", "patient_id"])
def test_an_empty_key_is_refused(lesions: pl.DataFrame, key: str, tmp_path: Path) -> None:
    lesions.with_columns(pl.when(pl.col("size") > 0).then(key).alias(key)).write_parquet(tmp_path / "lesions.parquet")
    with pytest.raises(InputError, match="not sorted"):
        list(read_whole_patients(tmp_path / "lesions.parquet", 100))


@pytest.mark.parametrize(
    ("content", "message"), [(None, "no such file"), (b"no table", "not a Parquet file"), ("keys", "no column")]
)
def test_files_that_are_refused(lesions: pl.DataFrame, content: object, message: str, tmp_path: Path) -> None:
    path = tmp_path / "lesions.parquet"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        lesions.drop("patient_id").write_parquet(path)
    with pytest.raises(InputError, match=message):
        list(read_whole_patients(path, 100))
