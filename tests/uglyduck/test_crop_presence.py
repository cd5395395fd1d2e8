"""Crops that only some lesions have: what their presence tells, and leaving the other lesions out."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import polars as pl
import pytest

from engine.errors import InputError
from tests.uglyduck.conftest import PICTURED, Command
from uglyduck.run.config import load_config

CHOSEN = """
[data]
metadata = "{data}/train-metadata.csv"
image_scores = "scores.parquet"
crops = "{crops}"
[folds]
n_folds = 2
[features]
groups = ["basic", "image"]
[ensemble]
learners = ["lightgbm"]
[ensemble.parameters]
lightgbm = {{ n_trees = 5 }}
[metrics]
replicates = 100
"""


@pytest.fixture(scope="module")
def chosen(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Image scores that all malignant and one in ten benign lesions have, and a configuration for each choice."""
    folder = tmp_path_factory.mktemp("chosen")
    lesions = pl.read_csv(small / "data/train-metadata.csv", columns=["isic_id", "target"])
    benign = lesions.filter(pl.col("target") == 0).gather_every(10)
    some = pl.concat([lesions.filter(pl.col("target") == 1), benign])
    score = pl.int_range(some.height) % 97 / 97
    some.select("isic_id", score.alias("score")).write_parquet(folder / "scores.parquet")
    for crops in ("optional", "required"):
        (folder / f"{crops}.toml").write_text(CHOSEN.format(data=small / "data", crops=crops))
    return folder


def test_a_run_says_with_figures_that_the_presence_of_crops_tells_the_label(chosen: Path, command: Command) -> None:
    said = command("run", chosen / "optional.toml", "--out", chosen / "optional").stderr.replace("\n", " ")
    assert "crops whose presence tells the label (UD216): 60 of 60 malignant lesions (100.0%) have a crop" in said
    assert "and 294 of 2,940 benign ones (10.0%)" in said
    findings = json.loads(command("check", chosen / "optional", "--json").stdout)["findings"]
    assert {one["code"]: one["status"] for one in findings}["UD216"] == "found"


def test_lesions_without_a_crop_are_left_out_of_training_and_figures(chosen: Path, command: Command) -> None:
    said = command("run", chosen / "required.toml", "--out", chosen / "required").stderr
    assert "354 of 3,000 have a crop; the others are left out" in said
    assert "UD216" not in said
    scores = json.loads((chosen / "required/metrics.json").read_text())["scores"]
    assert {(one["lesions"], one["malignant"]) for one in scores.values()} == {(354, 60)}
    findings = json.loads(command("check", chosen / "required", "--json", check=False).stdout)["findings"]
    assert {one["code"]: one["status"] for one in findings}["UD216"] == "clear"


def test_crops_are_looked_for_in_the_store(pictured: Path, tmp_path: Path, command: Command) -> None:
    with h5py.File(pictured / "data/train-image.hdf5") as every, h5py.File(tmp_path / "some.hdf5", "w") as some:
        ids = sorted(every)[::3]
        for name in ids:
            some[name] = every[name][()]
    text = PICTURED.replace('"data/train-image.hdf5"', f'"{tmp_path}/some.hdf5"\ncrops = "required"')
    (tmp_path / "some.toml").write_text(text.replace('"data/', f'"{pictured}/data/'))
    command("run", tmp_path / "some.toml", "--out", tmp_path / "run", "--until", "lesions")
    assert sorted(pl.read_parquet(tmp_path / "run/lesions.parquet")["isic_id"]) == ids


def test_required_crops_must_be_given(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text('[data]\nmetadata = "x.csv"\ncrops = "required"\n')
    with pytest.raises(InputError, match=r"run.toml, data: crops are required, and none are given. give images"):
        load_config(tmp_path / "run.toml")


def test_crops_of_other_lesions_are_one_line_and_status_2(small: Path, tmp_path: Path, command: Command) -> None:
    pl.DataFrame({"isic_id": ["ISIC_X"], "score": [0.5]}).write_parquet(tmp_path / "scores.parquet")
    (tmp_path / "other.toml").write_text(CHOSEN.format(data=small / "data", crops="required"))
    done = command("run", tmp_path / "other.toml", "--out", tmp_path / "run", check=False)
    assert done.returncode == 2
    assert "not one lesion has a crop" in done.stderr.splitlines()[-1]
