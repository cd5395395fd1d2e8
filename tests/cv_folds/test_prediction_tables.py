import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cv_folds.prediction_tables import read_labels, read_predictions, score_column
from engine.errors import InputError

Write = Callable[[str], Path]


@pytest.fixture
def csv(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "table.csv"
        path.write_text(text)
        return path

    return write


def test_labels_are_read_with_what_else_is_known(csv: Write) -> None:
    frame = read_labels(csv("isic_id,target,sex,patient_id,fold\n007,1,male,01,2\n7,0,,02,0\n"))
    assert frame.schema == {"isic_id": pl.String, "patient_id": pl.String, "fold": pl.Int64, "target": pl.Int8}
    assert frame.rows() == [("007", "01", 2, 1), ("7", "02", 0, 0)]


@pytest.mark.parametrize("identity", ["ISIC_1", "a lesion/ä,1", "12", "1e5", "0x1F", "TRUE"])
def test_any_text_is_an_id(csv: Write, identity: str) -> None:
    assert read_labels(csv(f'image_name,target\n"{identity}",1\n'))["isic_id"].to_list() == [identity]


def test_gzip_and_parquet_and_numbers_as_ids(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"isic_id,target\na,1.0\nb,0.0\n"))
    assert read_labels(tmp_path / "t.csv.gz")["target"].to_list() == [1, 0]
    pl.DataFrame({"isic_id": [3, 4], "target": [True, False]}).write_parquet(tmp_path / "t.parquet")
    assert read_labels(tmp_path / "t.parquet").rows() == [("3", 1), ("4", 0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("isic_id,score\na,1\n", "column target is missing"),
        ("lesion,target\na,1\n", "there is no column of lesion ids. name it isic_id or image_name"),
        ("isic_id,target\na,1\nb,2\n", r"column target, row 2 \(line 3\): 2.0 is neither 0 nor 1 \(1 such rows\)"),
        ("isic_id,target\na,1\nb,\n", r"column target, row 2 .* is missing or NaN"),
        ("isic_id,target\na,1\nb,benign\n", "'benign' is not a number"),
        ("isic_id,target\n,1\nb,0\n", r"column isic_id, row 1 .* is missing"),
        ("isic_id,target\na,1\nb,0\na,0\n", "column isic_id: 1 ids stand in more than one row: a"),
        ("isic_id,target,patient_id\na,1,p\nb,0,NA\n", r"column patient_id, row 2 .* is missing"),
        ("isic_id,target,fold\na,1,0\nb,0,0.5\n", r"column fold, row 2 .* 0.5 is no fold number"),
        ("isic_id,target,fold\na,1,0\nb,0,\n", r"column fold, row 2 .* is missing"),
        ("isic_id,target,fold\na,1,0\nb,0,inf\n", "inf is no fold number"),
    ],
)
def test_labels_that_can_not_be_used(csv: Write, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_labels(csv(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("isic_id,s\na,0.5\nb,NaN\nc,\n", r"column s, row 2 \(line 3\): the value is missing or NaN \(2 such rows\)"),
        ("isic_id,s\na,0.5\nb,inf\n", r"column s, row 2 \(line 3\): inf is infinite"),
        ("isic_id,s\na,0.5\nb,-inf\n", "-inf is infinite"),
        (
            "isic_id,s\na,0.5\na,0.5\nb,1\nb,1\nc,1\nc,1\nd,1\nd,1\n",
            "4 ids stand in more than one row: a, b, c and 1",
        ),
    ],
)
def test_predictions_that_can_not_be_used(csv: Write, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_predictions(csv(text), "s", "score")


def test_predictions_are_renamed(csv: Write) -> None:
    frame = read_predictions(csv("isic_id,a,b\nx,1,2.5\n"), "b", "score")
    assert frame.rows(named=True) == [{"isic_id": "x", "score": 2.5}]


@pytest.mark.parametrize(
    ("header", "row", "chosen"),
    [
        ("isic_id,target", "a,0.5", "target"),
        ("isic_id,patient_id,target,fold,fold_1,lightgbm,blend", "a,p,1,0,1,0.2,0.3", "blend"),
        ("isic_id,target,score", "a,1,0.5", "score"),
        ("isic_id,target,sex,score", "a,1,male,0.5", "score"),
        ("isic_id,target,sex", "a,1,male", "target"),
        ("image_name,p", "a, 0.5", "p"),
        ("isic_id,target,empty", "a,1,", "target"),
        (",isic_id,target", "0,a,0.5", "target"),
        ("Unnamed: 0,isic_id,target", "0,a,0.5", "target"),
        ("Unnamed: 0.1,Unnamed: 0,isic_id,my_model", "0,0,a,0.5", "my_model"),
        ("index,isic_id,target", "0,a,1", "target"),
        ("isic_id,target,", "a,0.5,7", "target"),
        ("isic_id,age_approx,target", "a,45,0.5", "target"),
        ("isic_id,age_approx,clin_size_long_diam_mm,target", "a,45,3.5,1", "target"),
        ("isic_id,patient_id,age_approx,mine", "a,p,45,0.5", "mine"),
        ("isic_id,other,target", "a,3,0.5", "target"),
        ("isic_id,other,prob", "a,3,0.5", "prob"),
        ("isic_id,other,prediction", "a,3,1", "prediction"),
        ("isic_id,other,malignant", "a,3,0.5", "malignant"),
        ("isic_id,malignant", "a,1", "malignant"),
        ("isic_id,target,malignant", "a,1,0.5", "malignant"),
    ],
)
def test_the_score_is_found(csv: Write, header: str, row: str, chosen: str) -> None:
    assert score_column(csv(f"{header}\n{row}\n")) == chosen


def test_a_gap_in_a_column_of_numbers_does_not_hide_it(csv: Write) -> None:
    # It is chosen, and refused when read: rather than to score something else without a word.
    path = csv("isic_id,target,score\na,1,\nb,0,0.5\n")
    assert score_column(path) == "score"
    with pytest.raises(InputError, match="is missing or NaN"):
        read_predictions(path, "score", "score")


def test_a_score_can_be_named(csv: Write) -> None:
    path = csv("isic_id,target,a,b\nx,1,0.5,0.7\n")
    assert score_column(path, "b") == "b"
    assert score_column(path, "target") == "target"
    for wrong in ("c", "isic_id"):
        with pytest.raises(InputError, match=f"there is no score column '{wrong}'. choose from a, b, target"):
            score_column(path, wrong)


def test_an_ambiguous_score_is_refused(csv: Write) -> None:
    with pytest.raises(InputError, match=r"3 columns could be the score: a, b, target\. choose one"):
        score_column(csv("isic_id,target,a,b,sex\nx,1,0.5,0.7,male\n"))


@pytest.mark.parametrize("labels", ["target", "malignant"])
def test_labels_are_not_taken_for_a_score_that_stands_next_to_them_nor_the_other_way_round(
    csv: Write, labels: str
) -> None:
    with pytest.raises(InputError, match=rf"2 columns could be the score: mine, {labels}\. choose one with --column"):
        score_column(csv(f"isic_id,{labels},mine\nx,1,0.5\ny,0,0.7\n"))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_index_that_pandas_wrote_changes_no_figure(tmp_path: Path, suffix: str) -> None:
    frame = pl.DataFrame({"isic_id": ["a", "b", "c"], "target": [0.1, 0.9, 0.4]}).to_pandas()
    plain, indexed = tmp_path / f"plain.{suffix}", tmp_path / f"indexed.{suffix}"
    for path, index in ((plain, False), (indexed, True)):
        shuffled = frame.iloc[[2, 0, 1]]
        shuffled.to_csv(path, index=index) if suffix == "csv" else shuffled.to_parquet(path, index=index)
    assert score_column(indexed) == score_column(plain) == "target"
    assert read_predictions(indexed, "target", "score").equals(read_predictions(plain, "target", "score"))


def test_a_table_without_scores_is_refused(csv: Write) -> None:
    with pytest.raises(InputError, match="there is no column of scores"):
        score_column(csv("isic_id,sex\nx,male\n"))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_even_a_spelling_of_missing_is_an_id(tmp_path: Path, suffix: str) -> None:
    ids = ["NA", "null", "nan", "None", "007", "a b;c"]
    frame = pl.DataFrame({"isic_id": ids, "target": [0, 1, 0, 1, 0, 1]})
    path = tmp_path / f"labels.{suffix}"
    frame.write_csv(path) if suffix == "csv" else frame.write_parquet(path)
    assert read_labels(path)["isic_id"].to_list() == ids


def test_an_empty_id_is_still_missing(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("isic_id,target\nNA,0\n,1\n")
    with pytest.raises(InputError, match=r"column isic_id, row 2 \(line 3\): the value is missing"):
        read_labels(path)
