"""`uglyduck compare`: runs of the same lesions side by side, whatever their folds."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cv_folds.bootstrap import paired_difference
from cv_folds.metrics import METRICS
from engine.files import read_json

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def other(small: Path, command: Command) -> Path:
    """A run of the same lesions in other folds, of one learner and two groups."""
    (small / "other.toml").write_text(
        '[data]\nmetadata = "data/train-metadata.csv"\n[folds]\nn_folds = 2\nseed = 5\n[features]\n'
        'groups = ["basic", "tbp"]\n[ensemble]\nlearners = ["lightgbm"]\n[ensemble.parameters]\n'
        "lightgbm = { n_trees = 10 }\n[metrics]\nreplicates = 200\n"
    )
    command("run", small / "other.toml", "--out", small / "other")
    return small / "other"


def test_the_difference_is_that_of_the_blends(finished: Path, other: Path, command: Command, tmp_path: Path) -> None:
    done = command("compare", finished, other, "--out", tmp_path)
    assert "the runs were scored in other folds" in done.stdout
    report = read_json(tmp_path / "comparison.json")
    first, second = (pl.read_parquet(run / "oof.parquet") for run in (finished, other))
    alone = paired_difference(
        METRICS["pauc"], first["target"], second["blend"], first["blend"], patient=first["patient_id"], replicates=200
    )
    (row,) = report["rows"]
    assert (row["name"], row["against"]) == ("other", "run")
    assert {end: row["difference"][end] for end in ("estimate", "low", "high")} == {
        "estimate": alone.estimate,
        "low": alone.low,
        "high": alone.high,
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("comparison.csv", "comparison.json", "comparison.md", "comparison.tex"),
        *("forest.pdf", "forest.png", "forest.svg"),
    ]


def test_repeats_train_both_recipes_again(copied: Path, other: Path, command: Command, tmp_path: Path) -> None:
    again = Path(shutil.copytree(other, tmp_path / "again"))
    done = command("compare", again, copied, "--repeats", "2", "--metric", "auc", "--out", tmp_path / "found")
    report = read_json(tmp_path / "found" / "comparison.json")
    assert report["settings"]["repeats"] == 2
    assert report["rows"][0]["auc"]["estimate"] > 0.5
    trained = re.findall(r"-seed(\d+)", done.stderr)
    assert set(trained) == {"1"}  # what the runs themselves had trained is not trained again
    more = command("compare", again, copied, "--repeats", "2", "--out", tmp_path / "found")
    assert more.stderr.count("there already") == 2
    assert "-seed" not in more.stderr


def test_other_lesions_are_one_line(finished: Path, pictured: Path, command: Command, tmp_path: Path) -> None:
    for arguments, said in (
        ((finished, pictured / "run"), "are not the 3,000 of the first run"),
        ((finished,), "there is nothing to compare"),
        ((finished, finished), "there is nothing to compare"),
        ((finished, tmp_path), "this folder holds no run"),
    ):
        done = command("compare", *arguments, "--out", tmp_path / "out", check=False)
        assert done.returncode == 2
        assert said in done.stderr
    assert not (tmp_path / "out").exists()
