"""An image score that knows the hospital: said at once, kept with the figures, and found by the check."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl

from tests.uglyduck.conftest import Command

CONFIG = """
[data]
metadata = "lesions.csv"
image_scores = "scores.parquet"
[folds]
n_folds = 2
[features]
groups = ["basic", "image"]
[ensemble]
learners = ["lightgbm"]
table_alone = false
[ensemble.parameters]
lightgbm = { n_trees = 5 }
[metrics]
replicates = 200
"""


def test_a_score_that_is_the_hospital_is_found(small: Path, tmp_path: Path, command: Command) -> None:
    lesions = pl.read_csv(small / "data/train-metadata.csv", infer_schema=False)
    chance = np.random.default_rng(0)
    here = chance.random(lesions.height) < np.where(lesions["target"] == "1", 0.7, 0.2)
    lesions.with_columns(attribution=pl.Series(np.where(here, "here", "there"))).write_csv(tmp_path / "lesions.csv")
    score = pl.Series("score", 0.5 * here + 0.5 * chance.random(lesions.height))
    lesions.select("isic_id", score).write_parquet(tmp_path / "scores.parquet")
    (tmp_path / "run.toml").write_text(CONFIG)
    done = command("run", tmp_path / "run.toml", "--out", tmp_path / "run")
    assert "an image model that knows the hospital (UD217): crops: AUC" in done.stderr.replace("\n", " ")
    assert "of what is above chance is the hospital" in done.stdout
    found = json.loads((tmp_path / "run/metrics.json").read_text())["hospital"]["crops"]
    assert found["difference"]["low"] > 0
    assert found["within"]["estimate"] < found["pooled"]["estimate"]
    findings = json.loads(command("check", tmp_path / "run", "--json", check=False).stdout)["findings"]
    assert {one["code"]: one["status"] for one in findings}["UD217"] == "found"
