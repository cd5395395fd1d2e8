"""The main job at full size: 401,059 training lesions through `run`, 500,000 test lesions through `predict`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl
import pytest

from cohort.simulator import write_folder
from tests.benches.performance import Measured, measure, record

TRAIN, TEST = 401_059, 500_000
MOST_GB = 6.0


@pytest.mark.bench
def test_run_and_predict_at_full_size(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("uglyduck")
    write_folder(tmp_path / "data", TRAIN, seed=0, test_lesions=TEST)
    (tmp_path / "full.toml").write_text('[data]\nmetadata = "data/train-metadata.csv"\n')
    run = measure(program, "run", tmp_path / "full.toml", "--out", tmp_path / "run")
    answer = tmp_path / "submission.csv"
    predict = measure(
        program, "predict", tmp_path / "run", "--metadata", tmp_path / "data/test-metadata.csv", "--out", answer
    )
    write_section(tmp_path / "run", run, predict)
    assert pl.read_csv(answer).height == TEST
    assert max(run.peak_gb, predict.peak_gb) <= MOST_GB


def write_section(folder: Path, run: Measured, predict: Measured) -> None:
    """The stages of a finished run, and both commands, as a section of docs/performance.md."""
    stages = json.loads((folder / "manifest.json").read_text())["stages"]
    n_features = len(json.loads((folder / "features.json").read_text())["features"])
    rows = [[f"`run`: {name}", f"{stage['seconds']:.1f}", ""] for name, stage in stages.items()]
    rows.append(["`run`, all of it", f"{run.seconds:.1f}", f"{run.peak_gb:.2f}"])
    rows.append(["`predict`", f"{predict.seconds:.1f}", f"{predict.peak_gb:.2f}"])
    record(
        "The main job at full size",
        f"{TRAIN:,} training lesions, {n_features} features, 5 folds × 3 learners × 1 seed; {TEST:,} test lesions"
        f" scored with all 15 models. Bound on memory: {MOST_GB:g} GB.",
        ["step", "seconds", "peak GB"],
        rows,
    )


REFERENCE_SECONDS, REFERENCE_SCORING = 424.0, 172.0
"""Of the best open re-implementation of the recipe below, measured on 2 cores: read, features, 50 models, out-of-fold
scores of 401,583 lesions; and scoring as many lesions with the 50 models."""
RECIPE = """
[data]
metadata = "data/train-metadata.csv"
[features]
groups = ["basic", "tbp", "engineered", "patient.z", "location.z"]
[ensemble]
learners = ["lightgbm", "catboost"]
preset = "documented"
seeds = [0, 1, 2, 3, 4]
benign_per_malignant = 130.0
[ensemble.parameters.catboost]
n_trees = 200
depth = 7
border_count = 32
one_hot_max_size = 255
rsm = 0.5
leaf_estimation_iterations = 1
[ensemble.parameters.lightgbm]
n_trees = 200
num_leaves = 239
max_depth = 7
max_bin = 127
feature_fraction = 0.4  # of a tree; documented: 0.83 of a tree, of those 0.40 of a node, a third in all as here
feature_fraction_bynode = 0.8
"""


@pytest.mark.bench
def test_the_reference_recipe(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("uglyduck")
    write_folder(tmp_path / "data", TRAIN, seed=0, test_lesions=TEST)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    run = measure(program, "run", tmp_path / "recipe.toml", "--out", tmp_path / "run")
    test, answer = tmp_path / "data/test-metadata.csv", tmp_path / "submission.csv"
    predict = measure(program, "predict", tmp_path / "run", "--metadata", test, "--out", answer)
    stages = json.loads((tmp_path / "run" / "manifest.json").read_text())["stages"]
    n_features = len(json.loads((tmp_path / "run" / "features.json").read_text())["features"])
    blend = json.loads((tmp_path / "run" / "metrics.json").read_text())["scores"]["blend"]["pooled"]["pauc"]
    pauc = f"{blend['estimate']:.4f} [{blend['low']:.4f}, {blend['high']:.4f}]"
    scoring = predict.seconds * 401_583 / TEST
    rows = [[f"`run`: {name}", f"{stage['seconds']:.1f}", "", ""] for name, stage in stages.items()]
    reference = f"{REFERENCE_SECONDS:.0f} s"
    rows.append(["`run`, all of it", f"{run.seconds:.1f}", f"{run.peak_gb:.2f}", f"{reference}, 3.0 GB"])
    rows.append(["`predict`", f"{predict.seconds:.1f}", f"{predict.peak_gb:.2f}", ""])
    rows.append(["`predict`, for 401,583 lesions", f"{scoring:.1f}", "", f"{REFERENCE_SCORING:.0f} s"])
    record(
        "The reference recipe",
        f"5 folds × 5 seeds × (LightGBM, 200 trees of up to 239 leaves and depth 7; CatBoost, 200 trees of depth 7) on"
        f" {TRAIN:,} lesions, {n_features} features, about 41,000 sampled rows a model; {TEST:,} lesions scored with"
        f" all 50 models. Reference: the best open re-implementation with 250 features, as many models of the same size"
        f" and sampling. Ours: coarser bins (127, CatBoost 32); LightGBM draws features mostly by tree, CatBoost half"
        f" of them at each level, with one-hot categories and one step for a leaf's value; out-of-fold pAUC of the"
        f" blend {pauc}.",
        ["step", "seconds", "peak GB", "reference"],
        rows,
    )
    assert n_features >= 250
    assert run.seconds <= REFERENCE_SECONDS / 2
