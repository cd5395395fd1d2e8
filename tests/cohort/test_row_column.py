"""A table may have a column called as readers call things themselves; it is left out like any unknown column."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cohort.reading import read_cohort
from cv_folds.scored import read_scored

NAMES = ("row", "index", "group", "__index__", "literal", "len", "labels_agree")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("name", NAMES)
def test_a_lesion_table_may_have_a_last_column_of_any_name(tmp_path: Path, name: str, suffix: str) -> None:
    frame = pl.DataFrame(
        {
            "image_name": ["a", "b"],
            "patient_id": ["p", "p"],
            "sex": ["male", None],
            "age_approx": [40.0, 50.0],
            "anatom_site_general_challenge": ["torso", None],
            "target": [0, 1],
        }
    )
    plain, more = tmp_path / f"plain{suffix}", tmp_path / f"more{suffix}"
    _write(frame, plain)
    _write(frame.with_columns(pl.Series(name, ["x", None])), more)
    assert read_cohort(more).frame.equals(read_cohort(plain).frame)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_predictions_and_labels_may_have_a_column_row(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"scored{suffix}"
    _write(pl.DataFrame({"isic_id": ["a", "NA"], "target": [0, 1], "score": [0.1, 0.9], "row": ["x", None]}), path)
    assert read_scored(path, path).frame["score"].to_list() == [0.9, 0.1]  # by id: "NA" comes before "a"


def _write(frame: pl.DataFrame, path: Path) -> None:
    (frame.write_csv if path.suffix == ".csv" else frame.write_parquet)(path)
