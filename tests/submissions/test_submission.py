"""The answer file a scorer takes."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl
import pytest

from engine.errors import InputError
from submissions.submission import write_submission

SCORES = pl.DataFrame({"isic_id": ["a", "b", "c"], "target": [0.25, 1.0, 1 / 3]})


def test_rows_stand_in_the_order_of_the_test_table(tmp_path: Path) -> None:
    path = tmp_path / "submission.csv"
    write_submission(SCORES, pl.Series(["c", "a", "b"]), path)
    assert path.read_text() == "isic_id,target\nc,0.3333333333333333\na,0.25\nb,1.0\n"


def test_isic_2020_asks_for_image_name(tmp_path: Path) -> None:
    write_submission(SCORES, SCORES["isic_id"], tmp_path / "s.csv", dataset="isic2020")
    assert (tmp_path / "s.csv").read_text().startswith("image_name,target\n")


@pytest.mark.parametrize(
    ("scores", "order", "message"),
    [
        (SCORES, ["a", "b"], "1 lesions are scored but not in the test table, the first c"),
        (SCORES, ["a", "b", "c", "d"], "1 lesions are without a score, the first d"),
        (SCORES, ["a", "b", "c", "c"], "2 lesions are repeated in the test table, the first c"),
        (pl.concat([SCORES, SCORES[:1]]), ["a", "b", "c"], "2 lesions are scored twice, the first a"),
        (SCORES.with_columns(target=pl.Series([0.1, math.nan, 0.2])), ["a", "b", "c"], "lesion b: 1 scores"),
        (SCORES.with_columns(target=pl.Series([0.1, None, 0.2])), ["a", "b", "c"], "lesion b: 1 scores"),
        (SCORES.with_columns(target=pl.Series([0.1, 0.2, 1.5])), ["a", "b", "c"], "lesion c: 1 scores"),
        (SCORES.with_columns(target=pl.Series([-math.inf, 0.2, 0.5])), ["a", "b", "c"], "lesion a: 1 scores"),
    ],
)
def test_what_a_scorer_would_reject_is_never_written(
    tmp_path: Path, scores: pl.DataFrame, order: list[str], message: str
) -> None:
    path = tmp_path / "submission.csv"
    path.write_text("earlier")
    with pytest.raises(InputError, match=message):
        write_submission(scores, pl.Series(order), path)
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]
