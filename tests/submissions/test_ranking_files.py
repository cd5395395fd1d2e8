"""Rankings as files: safe in a spreadsheet, whole in JSON."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from engine.errors import InputError
from submissions.ranking_files import formula_safe, write_ranking

TABLE = pl.DataFrame(
    {
        "patient_id": ["=1+1", "+49", "-P", "@here", "\tP", "\rP", "P=1", "'P", "", None],
        "z": [-1.5, 2.0, None, -3e-9, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0],
    }
)
SAFE = ["'=1+1", "'+49", "'-P", "'@here", "'\tP", "'\rP", "P=1", "'P", "", None]


def test_text_that_would_run_as_a_formula_is_made_safe_and_numbers_are_left() -> None:
    safe = formula_safe(TABLE)
    assert safe["patient_id"].to_list() == SAFE
    assert safe["z"].equals(TABLE["z"])


def test_a_spreadsheet_reads_the_safe_text_and_plain_numbers(tmp_path: Path) -> None:
    write_ranking(TABLE, tmp_path / "r.csv", about={})
    with (tmp_path / "r.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["patient_id", "z"]
    assert [row[0] for row in rows[1:]] == [text or "" for text in SAFE]
    assert [row[1] for row in rows[1:5]] == ["-1.5", "2.0", "", "-3e-9"]


@pytest.mark.parametrize("about", [{}, {"shortlist": {"limit": 15}, "note": "ä"}])
def test_json_holds_every_lesion_and_what_stands_beside(tmp_path: Path, about: dict[str, object]) -> None:
    write_ranking(TABLE, tmp_path / "r.json", about=about)
    stored = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert stored.pop("lesions") == TABLE.to_dicts()
    assert stored == about


def test_parquet_keeps_ids_as_they_are(tmp_path: Path) -> None:
    write_ranking(TABLE, tmp_path / "r.parquet", about={})
    assert pl.read_parquet(tmp_path / "r.parquet").equals(TABLE)


@pytest.mark.parametrize("name", ["r.xlsx", "r"])
def test_other_formats_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"let the name end with \.csv, \.parquet, \.json"):
        write_ranking(TABLE, tmp_path / name, about={})
