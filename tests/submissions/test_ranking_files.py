"""Rankings as files: safe in a spreadsheet, whole in JSON."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from submissions.ranking_files import formula_safe, rounded, write_ranking

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


def test_a_workbook_holds_text_as_text_and_numbers_as_short_as_the_csv(tmp_path: Path) -> None:
    table = TABLE.with_columns(score=pl.lit(0.123456789), risk=pl.lit(0.000123456789), link=pl.lit("https://x.test"))
    write_ranking(table, tmp_path / "r.xlsx", about={})
    write_ranking(table, tmp_path / "r.csv", about={})
    read = pl.read_excel(tmp_path / "r.xlsx")
    assert read["patient_id"].fill_null("").to_list() == [text or "" for text in TABLE["patient_id"]]
    assert set(read["score"]) == set(pl.read_csv(tmp_path / "r.csv")["score"]) == {0.123457}
    assert set(read["risk"]) == set(pl.read_csv(tmp_path / "r.csv")["risk"]) == {0.0001235}
    with zipfile.ZipFile(tmp_path / "r.xlsx") as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    assert b"hyperlink" not in sheet


@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=30))
def test_rounding_keeps_the_order_and_writes_no_long_numbers(values: list[float]) -> None:
    short = rounded(pl.DataFrame({"score": sorted(values), "risk": values, "rank": range(len(values))}))
    assert short["score"].is_sorted()
    assert short["rank"].to_list() == list(range(len(values)))
    assert all(float(f"{value:.4g}") == value for value in short["risk"])
    assert short["risk"].to_list() == pytest.approx(values, rel=6e-4)


@pytest.mark.parametrize("name", ["r.ods", "r"])
def test_other_formats_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"let the name end with \.csv, \.xlsx, \.parquet, \.json"):
        write_ranking(TABLE, tmp_path / name, about={})
