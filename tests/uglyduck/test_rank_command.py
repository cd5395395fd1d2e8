"""`uglyduck rank`: files a clinic can open, the lists that were asked for, and refusals."""

from __future__ import annotations

import csv
import json
from contextlib import chdir
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.uglyduck.conftest import Command

COLUMNS = (
    *("patient_rank", "patient_id", "patient_risk", "lesions", "rank", "isic_id", "score", "risk", "shortlist"),
    *("outlier", "outlier_rank", "unusual_in", "unusual_z", "reason", "risk_withheld"),
)


@pytest.fixture(scope="module")
def test_table(small: Path) -> Path:
    return small / "data/test-metadata.csv"


@pytest.fixture(scope="module")
def ranked(command: Command, finished: Path, test_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranked")
    for suffix in ("csv", "parquet", "json"):
        command("rank", finished, "--metadata", test_table, "--out", folder / f"ranking.{suffix}")
    return folder


def test_every_lesion_is_ranked_once_and_in_order(ranked: Path, test_table: Path) -> None:
    table = pl.read_parquet(ranked / "ranking.parquet")
    assert table.columns == list(COLUMNS)
    assert sorted(table["isic_id"]) == sorted(pl.read_csv(test_table, columns=["isic_id"])["isic_id"])
    assert table.equals(table.sort("patient_rank", "rank"))
    risks = table.filter(pl.col("rank") == 1)["patient_risk"]
    assert risks.is_sorted(descending=True)
    assert table["risk"].is_between(0, 1).all()
    assert table["shortlist"].equals(table["rank"] <= 15)
    assert table["reason"].null_count() == 0


def test_csv_and_json_hold_what_parquet_holds(ranked: Path) -> None:
    table = pl.read_parquet(ranked / "ranking.parquet")
    with (ranked / "ranking.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    text = (ranked / "ranking.json").read_text("utf-8")
    stored = json.loads(text, object_pairs_hook=_each_key_once)
    assert [row["isic_id"] for row in rows] == table["isic_id"].to_list()
    assert [float(row["risk"]) for row in rows] == pytest.approx(table["risk"].to_list(), rel=5e-4)
    assert max(len(row["score"].lstrip("0.")) for row in rows) <= 6  # significant digits
    assert [row["reason"] for row in rows] == table["reason"].to_list()
    assert [lesion["isic_id"] for lesion in stored["lesions"]] == table["isic_id"].to_list()
    assert [lesion["outlier"] for lesion in stored["lesions"]] == table["outlier"].to_list()
    assert stored["shortlist"]["limit"] == 15
    assert stored["scores"] == "mean of the fold models"
    assert stored["ranked"] == table.height
    assert stored["warnings"] == []
    assert "not a diagnosis" in stored["about"]


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), names
    return dict(pairs)


def test_a_promised_list_says_what_it_rests_on(
    command: Command, finished: Path, test_table: Path, tmp_path: Path
) -> None:
    out = tmp_path / "ranking.parquet"
    options = ["--sensitivity", "0.7", "--confidence", "0.8", "--out", out, "--json"]
    done = command("rank", finished, "--metadata", test_table, *options)
    about = json.loads(done.stdout)
    table = pl.read_parquet(out)
    assert about["shortlist"]["promise"]["guarantee"] == "with confidence"
    assert table["shortlist"].equals(table["rank"] <= about["shortlist"]["limit"])
    assert about["on_shortlists"] == table["shortlist"].sum()
    assert "scored out of fold" in done.stderr


def test_a_list_of_all_lesions_promises_nothing(command: Command, finished: Path, tmp_path: Path) -> None:
    ids = pl.read_parquet(finished / "lesions.parquet", columns=["isic_id", "patient_id"])
    few = ids.group_by("patient_id", maintain_order=True).head(2)["isic_id"]
    table = pl.read_csv(finished.parent / "data/train-metadata.csv", infer_schema_length=None).drop("target")
    table.filter(pl.col("isic_id").is_in(few.implode())).write_csv(tmp_path / "few.csv")
    options = ["--metadata", tmp_path / "few.csv", "--out", tmp_path / "few.json", "--json", "--sensitivity", "0.7"]
    done = command("rank", finished, *options)
    assert json.loads(done.stdout)["shortlist"]["promise"] is None
    assert "short list: every lesion: no shorter list" in done.stderr
    assert "rests on" not in done.stderr


def test_the_runs_own_lesions_are_ranked_out_of_fold(command: Command, copied: Path, tmp_path: Path) -> None:
    done = command("rank", copied, "--sensitivity", "0.6", "--shortlist-by", "score", "--out", tmp_path / "o.parquet")
    table, oof = pl.read_parquet(tmp_path / "o.parquet"), pl.read_parquet(copied / "oof.parquet")
    both = table.join(oof, on="isic_id", how="inner", validate="1:1")
    assert both.height == oof.height == table.height
    assert both["score"].equals(both["blend"], null_equal=False)
    listed = both.filter(pl.col("target") == 1).group_by("patient_id").agg(pl.col("shortlist").mean())
    assert listed["shortlist"].mean() >= 0.6
    curves = json.loads((copied / "curves.json").read_text("utf-8"))
    assert [point["k"] for point in curves["setopk"]] == list(range(1, 51))
    metrics = json.loads((copied / "metrics.json").read_text("utf-8"))
    blend = metrics["scores"]["blend"]["pooled"]
    assert curves["setopk"][14]["estimate"] == pytest.approx(blend["setop15"]["estimate"])
    assert str(copied / "curves.json") in done.stderr


def test_a_table_with_labels_gets_its_curves_beside_the_ranking(
    command: Command, finished: Path, small: Path, tmp_path: Path
) -> None:
    table = small / "data/train-metadata.csv"
    command("rank", finished, "--metadata", table, "--patients-by", "expected", "--out", tmp_path / "seen.csv")
    assert json.loads((tmp_path / "seen.curves.json").read_text("utf-8"))["counts"]["malignant"] == 60
    risks = pl.read_csv(tmp_path / "seen.csv").filter(pl.col("rank") == 1)["patient_risk"]
    assert risks.is_sorted(descending=True)


def test_the_image_network_is_named_where_its_scores_are_given(
    command: Command, finished: Path, test_table: Path, tmp_path: Path
) -> None:
    ids = pl.read_csv(test_table, columns=["isic_id", "patient_id"])
    patient = ids.filter(pl.len().over("patient_id") >= 5)["patient_id"][0]
    chosen = ids.filter(pl.col("patient_id") == patient)["isic_id"][0]
    score = pl.when(pl.col("isic_id") == chosen).then(0.999).otherwise(0.001 + pl.int_range(pl.len()) * 1e-6)
    ids.select("isic_id", score=score).write_parquet(tmp_path / "scores.parquet")
    options = ["--image-scores", tmp_path / "scores.parquet", "--out", tmp_path / "ranking.parquet"]
    command("rank", finished, "--metadata", test_table, *options)
    reason = pl.read_parquet(tmp_path / "ranking.parquet").filter(pl.col("isic_id") == chosen)["reason"][0]
    assert reason.startswith("the most suspicious to the image model of this patient's ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--out", "ranking.ods"], "no format .ods"),
        (["--top", "0"], "a short list of 0 lesions"),
        (["--top", "5", "--sensitivity", "0.9"], "give one of --top and --sensitivity"),
        (["--confidence", "0.9"], "say --sensitivity as well"),
        (["--shortlist-by", "score"], "a list by score has no length"),
        (["--sensitivity", "1.2"], "outside (0, 1)"),
        (["--sensitivity", "0.99", "--confidence", "0.99"], "it takes at least 459"),
        (["--images", "crops"], "--images: there is no table to read so"),
    ],
)
def test_what_can_not_be_done_is_said_in_one_line_and_nothing_is_written(
    command: Command, finished: Path, tmp_path: Path, options: list[str], said: str
) -> None:
    with chdir(tmp_path):
        done = command("rank", finished.resolve(), *options, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command_name", ["rank", "patients", "explain", "features"])
def test_options_about_a_table_need_one(finished: Path, command: Command, tmp_path: Path, command_name: str) -> None:
    out = () if command_name in {"features", "explain"} else ("--out", tmp_path / "o.csv")
    done = command(command_name, finished, "--strict", *out, check=False)
    assert done.returncode == 2
    assert "--strict: there is no table to read so. name the new lesions with --metadata" in done.stderr
    assert not (tmp_path / "o.csv").is_file()
