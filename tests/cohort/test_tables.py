import gzip
import io
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cohort.parquet_batches import read_parquet
from cohort.tables import open_table, read_text_columns
from engine.errors import InputError

Write = Callable[..., Path]


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        open_table(tmp_path / "absent.csv")
    assert str(raised.value) == f"{tmp_path / 'absent.csv'}: no such file. check the path."


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="this is a folder"):
        open_table(tmp_path)


@pytest.mark.parametrize("content", [b"", b" \n\n ", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_refused(content: bytes, write: Write) -> None:
    with pytest.raises(InputError, match="the file is empty"):
        open_table(write(content))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html><html>", "a web page"),
        (b'\n  {"isic_id": 1}', "JSON"),
        (b"[1, 2]", "JSON"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\xff\xd8\xff\xe0", "a JPEG image"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16 text"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
        (bytes(range(256)), "binary data"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(content: bytes, what: str, write: Write) -> None:
    with pytest.raises(InputError, match=f"not a table but {what}"):
        open_table(write(content))


@pytest.mark.parametrize("cut", [12, -9, -1])
def test_a_cut_gzip_file_is_refused(cut: int, write: Write) -> None:
    packed = gzip.compress(b"a,b\n" + bytes(range(48, 58)) * 50)
    with pytest.raises(InputError, match="damaged or cut off"):
        open_table(write(packed[:cut], "table.csv.gz"))


@pytest.mark.parametrize("name", ["table.csv", "table.parquet", "table"])
def test_parquet_is_told_by_its_content(name: str, write: Write) -> None:
    path = write(_parquet(pl.DataFrame({"a": [1, 2]})), name)
    assert open_table(path).read({"a": pl.Float64()}).rows() == [(0, 1.0), (1, 2.0)]


def test_packed_parquet_is_read_too(write: Write) -> None:
    path = write(gzip.compress(_parquet(pl.DataFrame({"a": ["x"]}))))
    assert open_table(path).read({"a": pl.String()}).rows() == [(0, "x")]


@pytest.mark.parametrize(
    ("others", "names"),
    [
        ([pa.array([None, None], pa.decimal256(50, 2))], ["y"]),
        ([pa.array([1, 2]), pa.array([3, 4])], ["y", "y"]),
        ([pa.array([1, 2])], [""]),
    ],
    ids=["a type that polars does not know", "a name twice", "no name"],
)
def test_a_column_that_is_not_read_does_not_matter(others: list[pa.Array], names: list[str], tmp_path: Path) -> None:
    arrays = [pa.array(["a", "b"]), pa.array([0.5, 1.5]), *others]
    pq.write_table(pa.Table.from_arrays(arrays, ["isic_id", "x", *names]), tmp_path / "table.parquet")
    found = read_parquet(tmp_path / "table.parquet", ["x", "isic_id"])
    assert found.equals(pl.DataFrame({"x": [0.5, 1.5], "isic_id": ["a", "b"]}))


def test_a_column_that_is_read_stands_once(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["y", "y"]), tmp_path / "table.parquet")
    with pytest.raises(pa.ArrowInvalid, match="column 'y' stands 2 times"):
        read_parquet(tmp_path / "table.parquet", ["y"])
    with pytest.raises(InputError, match=r"column y appears twice\. keep one column of each name"):
        open_table(tmp_path / "table.parquet").read({"y": pl.Float64()})


def test_a_column_without_a_name_is_read_with_the_others(tmp_path: Path) -> None:
    pl.DataFrame({"": [1], "isic_id": ["a"]}).write_parquet(tmp_path / "table.parquet")
    assert read_parquet(tmp_path / "table.parquet")["isic_id"].to_list() == ["a"]


def test_parquet_types_are_brought_to_those_asked_for(write: Write) -> None:
    frame = pl.DataFrame(
        {
            "number as text": ["1.5", "NA", " 2 "],
            "whole": [1, None, 3],
            "float": [1.0, float("nan"), None],
            "flag": [True, False, None],
            "code": [7, 8, 9],
        }
    ).with_columns(pl.Series("category", ["x", "NA", "y"], dtype=pl.Categorical))
    numbers = dict.fromkeys(("number as text", "whole", "float", "flag"), pl.Float64())
    read = open_table(write(frame, "table.parquet")).read({**numbers, "code": pl.String(), "category": pl.String()})
    assert read.rows() == [
        (0, 1.5, 1.0, 1.0, 1.0, "7", "x"),
        (1, None, None, None, 0.0, "8", None),
        (2, 2.0, 3.0, None, None, "9", "y"),
    ]


@pytest.mark.parametrize(
    ("values", "shown"), [(["1", "x"], "'x' is not a number"), ([[1], [2]], "is not a number")], ids=["text", "list"]
)
def test_a_bad_parquet_cell_is_named(values: list[object], shown: str, write: Write) -> None:
    path = write(pl.DataFrame({"a": values}), "table.parquet")
    with pytest.raises(InputError, match=f"column a, row .*{shown}"):
        open_table(path).read({"a": pl.Float64()})


@pytest.mark.parametrize("cut", [4, 60, -8])
def test_a_cut_parquet_file_is_refused(cut: int, write: Write) -> None:
    with pytest.raises(InputError, match="the Parquet file is damaged or cut off"):
        open_table(write(_parquet(pl.DataFrame({"a": list(range(100))}))[:cut], "table.parquet"))


def test_a_side_table_must_have_its_columns(write: Write) -> None:
    with pytest.raises(InputError, match="column b is missing"):
        read_text_columns(write("a\n1\n"), ("a", "b"))
