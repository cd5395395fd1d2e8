"""A table unlike that of training: said last, in every command, and no risk where it would mean nothing."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tests.uglyduck.conftest import Command

MEASURED = ("tbp_lv_", "clin_size")


@pytest.fixture(scope="module")
def given(small: Path) -> pl.DataFrame:
    return pl.read_csv(small / "data/test-metadata.csv")


def _emptied(table: pl.DataFrame, *, where: pl.Expr) -> pl.DataFrame:
    """The table with every measurement empty, as of a clinic that exports none."""
    names = [name for name in table.columns if name.startswith(MEASURED)]
    return table.with_columns(pl.when(~where).then(pl.col(name)).alias(name) for name in names)


def _ranked(command: Command, run: Path, table: pl.DataFrame, folder: Path) -> tuple[pl.DataFrame, str, list[str]]:
    table.write_csv(folder / "given.csv")
    done = command("rank", run, "--metadata", folder / "given.csv", "--out", folder / "r.parquet", "--json", "--anyway")
    return pl.read_parquet(folder / "r.parquet"), done.stderr, json.loads(done.stdout)["warnings"]


def test_a_table_like_that_of_training_gets_risks_and_no_warning(
    command: Command, finished: Path, given: pl.DataFrame, tmp_path: Path
) -> None:
    ranked, said, warnings = _ranked(command, finished, given, tmp_path)
    assert ranked["risk"].null_count() == 0
    assert ranked["risk_withheld"].null_count() == ranked.height
    assert warnings == []
    assert "WARNING" not in said


def test_without_measurements_there_are_no_risks_and_the_last_line_says_so(
    command: Command, finished: Path, given: pl.DataFrame, tmp_path: Path
) -> None:
    ranked, said, warnings = _ranked(command, finished, _emptied(given, where=pl.lit(value=True)), tmp_path)
    assert ranked["risk"].null_count() == ranked["patient_risk"].null_count() == ranked.height
    assert ranked["risk_withheld"].null_count() == 0
    assert "columns are absent or empty" in warnings[0]
    assert "WARNING" in said.splitlines()[-1]


def test_one_clinic_does_not_hide_behind_another(
    command: Command, finished: Path, given: pl.DataFrame, tmp_path: Path
) -> None:
    """Every third patient comes without measurements: those get no risk, the others keep theirs."""
    third = pl.col("patient_id").rank("dense") % 3 == 0
    ranked, _, warnings = _ranked(command, finished, _emptied(given, where=third), tmp_path)
    without = set(given.filter(third)["patient_id"])
    hidden = set(ranked.filter(pl.col("risk").is_null())["patient_id"])
    assert hidden == without
    assert set(ranked.filter(pl.col("risk_withheld").is_not_null())["patient_id"]) == without
    assert any(f"{len(without)} patients" in line for line in warnings)
    alone = tmp_path / "alone"
    alone.mkdir()
    others, _, _ = _ranked(command, finished, given.filter(~third), alone)
    both = others.join(ranked, on="isic_id", how="inner", validate="1:1")
    assert both["risk"].equals(both["risk_right"])


def test_shifted_scores_are_said_and_their_risks_withheld(
    command: Command, finished: Path, small: Path, tmp_path: Path
) -> None:
    """Every column is there, but nearly every lesion scores as the first few of training do."""
    highest = pl.read_parquet(finished / "oof.parquet").sort("blend", descending=True)["isic_id"].head(60)
    table = pl.read_csv(small / "data/train-metadata.csv", infer_schema_length=None).drop("target")
    shifted = table.filter(pl.col("isic_id").is_in(highest.implode()))
    ranked, said, warnings = _ranked(command, finished, shifted, tmp_path)
    assert ranked["risk"].null_count() == ranked.height
    assert "scores lie apart from those of training" in warnings[0]
    done = command("predict", finished, "--metadata", tmp_path / "given.csv", "--out", tmp_path / "s.csv")
    for text in (said, done.stderr):
        assert "risks mean nothing here" in text


def test_unseen_categories_are_named(command: Command, finished: Path, given: pl.DataFrame, tmp_path: Path) -> None:
    foreign = given.with_columns(tbp_tile_type=pl.lit("3D: infrared"))
    _, _, warnings = _ranked(command, finished, foreign, tmp_path)
    assert any("tbp_tile_type: '3D: infrared' never seen in training" in line for line in warnings)


def test_far_fewer_lesions_a_patient_than_in_training_are_said(
    command: Command, finished: Path, given: pl.DataFrame, tmp_path: Path
) -> None:
    usual = pl.read_parquet(finished / "lesions.parquet")["patient_id"].value_counts()["count"].median()
    few = given.filter(pl.int_range(pl.len()).over("patient_id") < 2)
    _, said, warnings = _ranked(command, finished, few, tmp_path)
    told = f"the median patient has 2 lesions here, in training {usual:g}"
    assert sum(told in line and "[data] benign_share" in line for line in warnings) == 1
    assert f"WARNING: {told}" in said
