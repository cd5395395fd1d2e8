"""`uglyduck run`: what lies on disk, what is skipped, what a killed run leaves."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import time
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cv_folds.folds import Folds
from submissions.run_folder import RunFolder
from tests.uglyduck.conftest import PROGRAM, QUICK, Command, artifacts, digests
from uglyduck.terminal.metrics import remarks


def test_the_folder_holds_what_the_design_says(finished: Path) -> None:
    models = {f"models/{name}/fold{fold}-seed0{suffix}" for fold in range(3) for name, suffix in SUFFIXES.items()}
    tables = {"lesions.parquet", "folds.parquet", "features.parquet", "features.json", "oof.parquet"}
    figures = {"blend.json", "calibration.json", "metrics.json", "metrics.md", "metrics.tex"}
    written = set(digests(finished))
    results = {name for name in written if name.startswith("results/")}
    assert written - results == models | tables | figures
    assert len(results) >= 9  # one for each learner and fold, and what later commands asked for
    assert not list(finished.rglob("*.pkl"))


def test_a_damaged_table_for_a_paper_is_written_again(copied: Path, small: Path, command: Command) -> None:
    known = (copied / "metrics.md").read_bytes()
    (copied / "metrics.md").write_bytes(b"\xa0" + known[1:])
    command("run", small / "quick.toml", "--out", copied)
    assert (copied / "metrics.md").read_bytes() == known


SUFFIXES = {"lightgbm": ".txt", "xgboost": ".ubj", "catboost": ".cbm"}


def test_every_lesion_has_one_score_of_each_learner(finished: Path, small: Path) -> None:
    oof = pl.read_parquet(finished / "oof.parquet")
    train = pl.read_csv(small / "data/train-metadata.csv", infer_schema=False)
    blends = ["blend_mean", "blend_greedy", "blend_stack", "blend", "risk"]
    assert oof.columns == ["isic_id", "patient_id", "target", "fold", *SUFFIXES, *blends]
    assert set(oof["isic_id"]) == set(train["isic_id"])
    scores = oof.select(*SUFFIXES, *blends).to_numpy()
    assert ((scores >= 0) & (scores <= 1)).all()
    assert oof.group_by("patient_id").agg(pl.col("fold").n_unique())["fold"].max() == 1


def test_the_simulated_signal_is_found(finished: Path) -> None:
    oof = pl.read_parquet(finished / "oof.parquet")
    malignant = oof.filter(pl.col("target") == 1)["blend"].to_numpy()
    benign = oof.filter(pl.col("target") == 0)["blend"].to_numpy()
    auc = np.mean(malignant[:, None] > benign[None, :])
    assert auc > 0.75


def test_the_manifest_names_inputs_versions_and_artifacts(finished: Path, small: Path) -> None:
    manifest = json.loads((finished / "manifest.json").read_text())
    data = (small / "data/train-metadata.csv").read_bytes()
    assert manifest["inputs"]["metadata"] == hashlib.sha256(data).hexdigest()
    assert {"python", "uglyduck", "polars", "lightgbm", "xgboost", "catboost"} <= set(manifest["versions"])
    assert list(manifest["stages"]) == ["lesions", "folds", "features", "models", "scores", "metrics"]
    assert tomllib.loads((finished / "config.toml").read_text())["folds"]["n_folds"] == 3


def test_train_only_columns_never_become_features(finished: Path) -> None:
    names = {feature["name"] for feature in json.loads((finished / "features.json").read_text())["features"]}
    needs = {need for f in json.loads((finished / "features.json").read_text())["features"] for need in f["needs"]}
    for forbidden in ("target", "lesion_id", "iddx_1", "tbp_lv_dnn_lesion_confidence", "mel_thick_mm", "isic_id"):
        assert forbidden not in names | needs


def test_a_second_start_changes_nothing_and_says_so(small: Path, finished: Path, command: Command) -> None:
    artifacts = [path for path in finished.rglob("*.*") if path.name not in {"config.toml", "run.log", ".lock"}]
    before = {path: path.stat().st_mtime_ns for path in artifacts}
    done = command("run", small / "quick.toml", "--out", finished)
    assert done.stderr.count("unchanged") == 6
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_a_changed_setting_runs_what_depends_on_it_only(
    small: Path, finished: Path, tmp_path: Path, command: Command
) -> None:
    shutil.copytree(finished, tmp_path / "run")
    shutil.copytree(small / "data", tmp_path / "data")
    changed = QUICK.replace("catboost = { n_trees = 10,", "catboost = { n_trees = 11,")
    (tmp_path / "more.toml").write_text(changed.replace("[ensemble]", '[ensemble]\nblend = "stack"'))
    lines = command("run", tmp_path / "more.toml", "--out", tmp_path / "run").stderr
    assert lines.count("unchanged") == 3  # lesions, folds, features
    assert "models    6 of 9 there already" in lines  # three folds of LightGBM and XGBoost
    assert "scores    9 of 9 there already" in lines
    # What was asked for with other learners or another blend stays: a study may have asked for it.
    stored = set((tmp_path / "run/results").rglob("*.result"))
    assert len(stored) >= 12
    assert command("clean", tmp_path / "run").stdout == "nothing to delete\n"
    assert set((tmp_path / "run/results").rglob("*.result")) == stored


@pytest.mark.parametrize(
    ("old", "new", "until"),
    [
        ('"patient.z", ', "", "features"),
        ("xgboost = { n_trees = 10 }", "xgboost = { n_trees = 9 }", "models"),
        ("n_folds = 3", "n_folds = 4", "folds"),
    ],
)
def test_what_is_older_than_what_it_was_made_from_scores_nothing(
    *, old: str, new: str, until: str, small: Path, copied: Path, tmp_path: Path, command: Command
) -> None:
    assert old in QUICK
    (tmp_path / "other.toml").write_text(QUICK.replace(old, new).replace('"data/', f'"{small}/data/'))
    command("run", tmp_path / "other.toml", "--out", copied, "--until", until)
    call = ("predict", copied, "--metadata", small / "data/test-metadata.csv", "--out", tmp_path / "submission.csv")
    done = command(*call, check=False)
    assert done.returncode == 2
    assert "made anew since" in done.stderr
    command("run", tmp_path / "other.toml", "--out", copied)
    if until == "features":  # what only the former features asked for may go, by the word of the user alone
        before, stored = artifacts(copied), set((copied / "results").rglob("*.result"))
        said = command("clean", copied, "--dry-run").stdout.replace("\n", "")
        assert f"would delete {copied}/results: {len(stored) - 9 + 1} files of results" in said  # and their list
        assert set((copied / "results").rglob("*.result")) == stored
        assert "deleted" in command("clean", copied).stdout
        assert len(set((copied / "results").rglob("*.result"))) == 9  # a learner and a fold each
        assert command("clean", copied).stdout == "nothing to delete\n"
        assert artifacts(copied) == before
        assert command("run", tmp_path / "other.toml", "--out", copied).stderr.count("unchanged") == 6
    command(*call)


def test_until_stops_there(small: Path, tmp_path: Path, command: Command) -> None:
    command("run", small / "quick.toml", "--out", tmp_path / "run", "--until", "folds")
    assert (tmp_path / "run/folds.parquet").exists()
    assert not (tmp_path / "run/features.parquet").exists()
    done = command("run", small / "quick.toml", "--out", tmp_path / "run", "--until", "sleep", check=False)
    assert done.returncode == 2
    assert "use one of lesions, folds, features, models, scores, metrics" in done.stderr


# Each start is killed as soon as this file is there: between stages, between models, half-way through a stage.
MOMENTS = ("config.toml", "folds.parquet", "features.parquet", "models/lightgbm/fold1-seed0.txt", "oof.parquet")


def test_a_run_killed_at_any_moment_ends_with_the_same_bits(
    small: Path, finished: Path, tmp_path: Path, command: Command
) -> None:
    call = [PROGRAM, "run", small / "quick.toml", "--out", tmp_path / "run"]
    for moment in MOMENTS:
        with subprocess.Popen(call, stderr=subprocess.DEVNULL) as process:
            while not (tmp_path / "run" / moment).exists():
                assert process.poll() is None, f"ended before {moment} was there"
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
    command(*call[1:])
    assert artifacts(tmp_path / "run") == artifacts(finished)
    found, expected = digests(tmp_path / "run"), digests(finished)
    assert all(expected[name] == sha256 for name, sha256 in found.items() if name.startswith("results/"))


def test_two_runs_in_one_folder_are_kept_apart(small: Path, tmp_path: Path, command: Command) -> None:
    with RunFolder(tmp_path / "run").locked():
        second = command("run", small / "quick.toml", "--out", tmp_path / "run", check=False)
    assert second.returncode == 2
    assert f"another process works here (process {os.getpid()} on {platform.node()})" in second.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[data]\nmetadata = "none.csv"', "none.csv"),
        ('[data]\nmetadata = "data/train-metadata.csv"\n[features]\ngroups = ["patint"]', "did you mean 'patient'"),
        ('[data]\nmetadata = "data/train-metadata.csv"\n[ensemble]\nlearners = ["lightbgm"]', "lightgbm"),
        ('[data]\nmetadata = "data/train-metadata.csv"\n[ensemble.parameters]\nlightbgm = {}', "lightbgm"),
        ('[data]\nmetadata = "data/test-metadata.csv"', "target"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(
    small: Path, tmp_path: Path, command: Command, text: str, message: str
) -> None:
    (tmp_path / "data").symlink_to(small / "data")
    (tmp_path / "wrong.toml").write_text(text)
    done = command("run", tmp_path / "wrong.toml", check=False)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"data", "wrong.toml"}


def test_it_says_where_patients_are_too_few(finished: Path) -> None:
    lines = remarks(json.loads((finished / "metrics.json").read_text()))
    patients = pl.read_parquet(finished / "folds.parquet").filter(pl.col("target") == 1)["patient_id"].n_unique()
    assert patients < 50
    assert f"only {patients} patients have a malignant lesion: so few make intervals too narrow" in lines


def test_folds_of_hospitals_are_named(small: Path, tmp_path: Path, command: Command) -> None:
    text = QUICK.replace('"data/', f'"{small}/data/').replace("n_folds = 3", 'scheme = "leave-one-hospital-out"')
    (tmp_path / "hospitals.toml").write_text(text.replace("[features]", 'without_malignant = "merge"\n[features]'))
    said = command("run", tmp_path / "hospitals.toml", "--out", tmp_path / "run", "--until", "folds").stderr
    assert "one for each hospital; n_folds and seed have no part in them" in said
    counts = Folds.read(tmp_path / "run/folds.parquet").summary()
    for row in counts.iter_rows(named=True):
        assert f"{row['name']}: {row['rows']:,} lesions of {row['patients']:,} patients, " in said


@pytest.mark.parametrize("change", ['[data]\nmetadata = "none.csv"', '[data]\nmetadata = "data/test-metadata.csv"'])
def test_a_run_refused_in_the_folder_of_another_leaves_its_configuration(
    small: Path, finished: Path, tmp_path: Path, command: Command, change: str
) -> None:
    (tmp_path / "data").symlink_to(small / "data")
    (tmp_path / "wrong.toml").write_text(change)
    (tmp_path / "run").mkdir()
    for name in ("config.toml", "manifest.json"):
        shutil.copy(finished / name, tmp_path / "run" / name)
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    assert command("run", tmp_path / "wrong.toml", "--out", tmp_path / "run", check=False).returncode == 2
    after = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    assert b"ERROR" in after.pop("run.log")  # the log tells of it
    assert after == before | {".lock": b""}
