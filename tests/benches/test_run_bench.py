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
