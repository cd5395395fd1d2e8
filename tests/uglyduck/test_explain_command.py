"""`uglyduck explain` on a finished run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.uglyduck.conftest import Command


@pytest.fixture(scope="module")
def run(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished run, to write into."""
    return Path(shutil.copytree(finished, tmp_path_factory.mktemp("explained") / "run"))


@pytest.fixture(scope="module")
def report(run: Path, command: Command) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(command("explain", run, "--json").stdout)
    return found


def test_the_log_odds_explained_order_lesions_as_the_run_does(report: dict[str, Any]) -> None:
    assert report["rank_correlation"] > 0.97
    assert report["unit"].startswith("log odds")
    assert report["counts"]["lesions"] == report["counts"]["explained"] == 3_000


def test_shares_cover_the_runs_groups_and_sum_to_one(report: dict[str, Any], run: Path) -> None:
    assert {row["group"] for row in report["groups"]} == {"basic", "tbp", "patient", "context"}
    learners = ["lightgbm", "xgboost", "catboost"]
    assert sum(row["share"] for row in report["groups"]) == pytest.approx(1)
    for learner in learners:
        assert sum(row["by_learner"][learner] for row in report["groups"]) == pytest.approx(1)
    written = json.loads((run / "explanation" / "groups.json").read_text("utf-8"))
    assert written == {name: value for name, value in report.items() if name != "lesions"}


def test_each_patients_top_lesions_are_told_with_value_and_median(report: dict[str, Any], run: Path) -> None:
    found = pl.read_parquet(report["lesions"])
    oof = pl.read_parquet(run / "oof.parquet")
    top = (
        oof.sort("patient_id", "blend", "isic_id", descending=[False, True, False])
        .group_by("patient_id", maintain_order=True)
        .head(15)
    )
    assert set(found["isic_id"]) <= set(top["isic_id"])
    assert found["isic_id"].n_unique() > 0.99 * top.height  # a lesion below its patient's usual in all is not told
    assert found.group_by("isic_id").len()["len"].max() == 8
    assert (found["contribution"] > 0).all()
    falling = found.select(pl.col("contribution").diff().over("isic_id")).drop_nulls().to_series()
    assert (falling <= 0).all()
    features = pl.read_parquet(run / "features.parquet")
    numbers = found.filter(pl.col("feature") == "clin_size_long_diam_mm")
    for row in numbers.head(5).iter_rows(named=True):
        mine = features.filter(pl.col("isic_id") == row["isic_id"])["clin_size_long_diam_mm"][0]
        ids = oof.filter(pl.col("patient_id") == row["patient_id"])["isic_id"].implode()
        usual = features.filter(pl.col("isic_id").is_in(ids))["clin_size_long_diam_mm"].median()
        assert (row["value"], row["patient_median"]) == (f"{mine:.4g}", f"{usual:.4g}")
    assert not found.filter(pl.col("feature") == "sex").height  # all of a patient's lesions have the same


def test_a_second_start_changes_nothing(report: dict[str, Any], run: Path, command: Command) -> None:
    before = (run / "explanation" / "groups.json").stat().st_mtime_ns
    done = command("explain", run)
    assert (run / "explanation" / "groups.json").stat().st_mtime_ns == before
    assert "unchanged" in done.stderr
    assert "not a diagnosis" in done.stdout
    assert "patient's usual" in done.stdout


def test_new_lesions_are_explained_alike_alone_and_in_a_batch(
    run: Path, small: Path, command: Command, tmp_path: Path
) -> None:
    table = small / "data" / "test-metadata.csv"
    together = json.loads(command("explain", run, "--metadata", table, "--json").stdout)
    assert together["rank_correlation"] > 0.97
    assert together["lesions"] == str(run / "explanation" / "test-metadata" / "lesions.parquet")
    assert (run / "explanation" / "groups.json").exists()
    lines = pl.read_csv(table, infer_schema=False)
    patient = lines["patient_id"][0]
    lines.filter(pl.col("patient_id") == patient).write_csv(tmp_path / "one.csv")
    alone = json.loads(
        command("explain", run, "--metadata", tmp_path / "one.csv", "--out", tmp_path / "out", "--json").stdout
    )
    batch = pl.read_parquet(together["lesions"]).filter(pl.col("patient_id") == patient)
    assert batch.height
    assert batch.equals(pl.read_parquet(alone["lesions"]))


def test_options_for_new_lesions_need_new_lesions(run: Path, command: Command) -> None:
    refused = command("explain", run, "--out", run / "elsewhere", check=False)
    assert refused.returncode == 2
    assert "--metadata" in refused.stderr


def test_an_unfinished_run_is_refused(run: Path, command: Command, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    (copy / "oof.parquet").unlink()
    refused = command("explain", copy, check=False)
    assert refused.returncode == 2
    assert "oof.parquet" in refused.stderr
