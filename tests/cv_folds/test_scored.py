from pathlib import Path

import polars as pl
import pytest

from cv_folds.scored import read_scored
from engine.errors import InputError

LABELS = {"isic_id": ["a", "b", "c", "d"], "target": [0, 1, 0, 1]}


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return written(tmp_path / "labels.csv", {**LABELS, "patient_id": ["p", "p", "q", "q"], "fold": [0, 0, 1, 1]})


def written(path: Path, columns: dict[str, list[object]]) -> Path:
    frame = pl.DataFrame(columns)
    if path.suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    return path


def test_tables_are_joined_by_id(tmp_path: Path, labels: Path) -> None:
    predictions = written(tmp_path / "p.parquet", {"image_name": ["d", "a", "c", "b"], "s": [4.0, 1.0, 3.0, 2.0]})
    scored = read_scored(predictions, labels)
    assert scored.column == "s"
    assert scored.notes == ()
    assert scored.frame.sort("isic_id").rows(named=True) == [
        {"isic_id": "a", "patient_id": "p", "fold": 0, "target": 0, "score": 1.0},
        {"isic_id": "b", "patient_id": "p", "fold": 0, "target": 1, "score": 2.0},
        {"isic_id": "c", "patient_id": "q", "fold": 1, "target": 0, "score": 3.0},
        {"isic_id": "d", "patient_id": "q", "fold": 1, "target": 1, "score": 4.0},
    ]


def test_a_run_s_table_is_predictions_and_labels_in_one(tmp_path: Path) -> None:
    oof = {**LABELS, "patient_id": ["p"] * 4, "fold": [0] * 4, "lightgbm": [1.0] * 4, "blend": [0.1, 0.2, 0.3, 0.4]}
    path = written(tmp_path / "oof.parquet", oof)
    scored = read_scored(path, path)
    assert scored.column == "blend"
    assert scored.frame["score"].to_list() == [0.1, 0.2, 0.3, 0.4]
    against = read_scored(path, path, other=path, other_column="lightgbm")
    assert (against.column, against.other_column) == ("blend", "lightgbm")
    assert against.frame["other"].to_list() == [1.0] * 4


def test_patients_and_folds_may_come_with_the_predictions(tmp_path: Path) -> None:
    labels = written(tmp_path / "labels.csv", LABELS)
    columns = {"isic_id": ["a", "b", "c", "d"], "s": [1, 2, 3, 4], "patient_id": [1, 1, 2, 2], "fold": [3, 3, 5, 5]}
    frame = read_scored(written(tmp_path / "p.csv", columns), labels).frame
    assert frame["patient_id"].to_list() == ["1", "1", "2", "2"]
    assert frame["fold"].to_list() == [3, 3, 5, 5]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["a", "b", "c"], r"p.csv: 1 of 4 labelled lesions have no prediction: d\."),
        (["a"], r"3 of 4 labelled lesions have no prediction: b, c, d\."),
        (["a", "b", "c", "d", "e"], r"labels.csv: 1 of 5 predictions have no label: e\."),
        (["a", "b", "c", "x"], "1 of 4 labelled lesions have no prediction: d; and 1 predictions have no label: x"),
        (["w", "x", "y", "z"], "4 of 4 labelled lesions have no prediction: a, b, c and 1 more; and 4 predictions"),
    ],
)
def test_missing_and_extra_ids_are_refused(tmp_path: Path, labels: Path, ids: list[object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_scored(written(tmp_path / "p.csv", {"isic_id": ids, "s": list(range(len(ids)))}), labels)


@pytest.mark.parametrize(("column", "values"), [("fold", [0, 0, 1, 2]), ("patient_id", ["p", "p", "q", "r"])])
def test_patients_and_folds_must_agree(tmp_path: Path, labels: Path, column: str, values: list[object]) -> None:
    predictions = written(tmp_path / "p.csv", {"isic_id": ["a", "b", "c", "d"], "s": [1, 2, 3, 4], column: values})
    with pytest.raises(InputError, match=f"p.csv: {column} differs from the labels in 1 lesions: d"):
        read_scored(predictions, labels)


def test_other_predictions_are_checked_too(tmp_path: Path, labels: Path) -> None:
    predictions = written(tmp_path / "p.csv", {"isic_id": ["a", "b", "c", "d"], "s": [1, 2, 3, 4]})
    other = written(tmp_path / "o.csv", {"isic_id": ["a", "b", "c"], "s": [1, 2, 3]})
    with pytest.raises(InputError, match=r"o.csv: 1 of 4 labelled lesions have no prediction: d"):
        read_scored(predictions, labels, other=other)
    doubtful = written(tmp_path / "o.csv", {"isic_id": ["a", "b", "c", "d"], "s": [1, 2, 3, 4], "t": [1, 2, 3, 4]})
    with pytest.raises(InputError, match=r"o.csv: 2 columns could be the score: s, t"):
        read_scored(predictions, labels, other=doubtful)
    named = read_scored(predictions, labels, column="s", other=doubtful)
    assert named.other_column == "s"


def test_other_folds_are_noted(tmp_path: Path, labels: Path) -> None:
    predictions = written(tmp_path / "p.csv", {"isic_id": ["a", "b", "c", "d"], "s": [1, 2, 3, 4]})
    other = written(tmp_path / "o.csv", {"isic_id": ["a", "b", "c", "d"], "s": [1, 2, 3, 4], "fold": [1, 0, 1, 0]})
    scored = read_scored(predictions, labels, other=other)
    assert scored.frame["fold"].to_list() == [0, 0, 1, 1]
    assert "o.csv was scored in other folds" in scored.notes[0]


def test_scores_that_are_the_labels_are_noted(labels: Path) -> None:
    assert read_scored(labels, labels).notes == ("every score equals its label",)
