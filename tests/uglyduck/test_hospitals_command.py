"""`uglyduck hospitals` on a finished run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cohort.lesions import Lesions
from tests.uglyduck.conftest import Command, accept
from uglyduck.run.run import open_run
from uglyduck.studies.hospitals import features_without


@pytest.fixture(scope="module")
def run(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished run, to write into."""
    return Path(shutil.copytree(finished, tmp_path_factory.mktemp("hospitals") / "run"))


@pytest.fixture(scope="module")
def found(run: Path, command: Command) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(command("hospitals", run, "--json").stdout)
    return result


def test_every_hospital_is_left_out_once(found: dict[str, Any], run: Path) -> None:
    table = open_run(run).lesions.frame
    assert [row["hospital"] for row in found["hospitals"]] == sorted(table["attribution"].unique())
    assert sum(row["lesions"] for row in found["hospitals"]) == 3_000
    for row in found["hospitals"]:
        here = table.filter(pl.col("attribution") == row["hospital"])
        assert (row["lesions"], row["malignant"]) == (here.height, here["target"].sum())
        assert row["trained_on"]["lesions"] == 3_000 - here.height
        assert (row["left_out"] is None) == (row["malignant"] < 10)
    assert any(row["left_out"] for row in found["hospitals"])


def test_it_is_compared_with_the_runs_own_scores(found: dict[str, Any], run: Path) -> None:
    stored = json.loads((run / "metrics.json").read_text("utf-8"))
    pooled = stored["scores"]["blend"]["pooled"]["pauc"]["estimate"]
    assert found["pooled"]["patient_folds"]["pauc"]["estimate"] == pytest.approx(pooled, abs=1e-12)
    assert found["pooled"]["left_out"]["pauc"]["estimate"] != pytest.approx(pooled, abs=1e-6)
    scores = pl.read_parquet(run / "hospitals" / "oof.parquet")
    assert scores.height == 3_000
    assert scores.select("lightgbm", "xgboost", "catboost", "blend").null_count().sum_horizontal()[0] == 0


def test_a_second_start_changes_nothing(found: dict[str, Any], run: Path, command: Command) -> None:
    done = command("hospitals", run)
    assert "unchanged" in done.stderr
    assert "too few to tell" in done.stdout
    assert "not a diagnosis" in done.stdout
    assert json.loads((run / "hospitals.json").read_text("utf-8")) == found


def test_scores_that_are_there_are_taken_over(found: dict[str, Any], run: Path, command: Command) -> None:
    (run / "hospitals.json").unlink()
    newest = max((run / "results").rglob("*.result"), key=lambda path: path.stat().st_mtime_ns)
    newest.unlink()
    done = command("hospitals", run, "--json")
    assert json.loads(done.stdout) == found
    trained = [line for line in done.stderr.splitlines() if "/seed0" in line]
    assert len(trained) == 1


def test_features_know_nothing_of_the_hospital_left_out(run: Path) -> None:
    opened = open_run(run)
    frame = opened.lesions.frame
    here = (frame["attribution"] == "ACEMID MIA").to_numpy()
    moved = pl.when(pl.Series(here)).then(pl.col("tbp_lv_H") + 10).otherwise(pl.col("tbp_lv_H"))
    changed = frame.with_columns(moved.alias("tbp_lv_H"))
    one, other = (features_without(opened, table, ~here) for table in (frame, changed))
    assert one.filter(pl.Series(~here)).equals(other.filter(pl.Series(~here)))
    assert not one.filter(pl.Series(here)).equals(other.filter(pl.Series(here)))
    known = features_without(opened, changed, here | ~here)  # fitted on all, the hospital's lesions count
    assert not known.filter(pl.Series(~here)).equals(other.filter(pl.Series(~here)))


def test_image_features_are_on_neither_side(pictured: Path, command: Command, tmp_path: Path) -> None:
    shutil.copytree(pictured / "run", tmp_path / "run")
    found = json.loads(command("hospitals", tmp_path / "run", "--json").stdout)
    assert found["compared_with"].startswith("table,")
    assert "image_score" in found["left_out_features"]
    assert not [note for note in found["notes"] if "the run's figure has them" in note]


def test_without_hospitals_it_is_not_applicable(run: Path, command: Command, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    lesions = Lesions.read(copy / "lesions.parquet")
    Lesions(lesions.frame.drop("attribution"), lesions.facts).write(copy / "lesions.parquet")
    accept(copy)
    found = json.loads(command("hospitals", copy, "--json").stdout)
    assert found["applicable"] is False
    assert "attribution" in found["reason"]
    assert "not applicable" in command("hospitals", copy).stdout
