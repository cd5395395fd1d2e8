"""`uglyduck score` as a user calls it; what it computes is tested in tests/cv_folds."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from engine.errors import InputError
from uglyduck.cli import app

Score = Callable[..., Result]


@pytest.fixture
def score() -> Score:
    """Run the command in this process; an error that a user can fix comes out as raised."""

    def call(*arguments: str | Path) -> Result:
        result = CliRunner().invoke(app, ["score", *map(str, arguments)])
        if isinstance(result.exception, InputError):
            raise result.exception
        return result

    return call


@pytest.fixture
def oof(tmp_path: Path) -> Path:
    """A table as a run writes it: 300 patients, 6 lesions each, 4 folds, two learners and their blend."""
    generator = np.random.default_rng(0)
    patient = np.repeat(np.arange(300), 6)
    target = (generator.random(1800) < 0.08).astype(np.int8)
    lightgbm, xgboost = (generator.normal(size=(2, 1800)) + 1.5 * target).tolist()
    frame = pl.DataFrame(
        {
            "isic_id": [f"{row:04d}" for row in range(1800)],  # ids that look like numbers
            "patient_id": [f"IP_{number:07d}" for number in patient],
            "target": target,
            "fold": (patient % 4).astype(np.int8),
            "lightgbm": lightgbm,
            "xgboost": xgboost,
        }
    ).with_columns(((pl.col("lightgbm") + pl.col("xgboost")) / 2).alias("blend"))
    frame.sample(fraction=1, shuffle=True, seed=1).write_parquet(tmp_path / "oof.parquet")
    return tmp_path / "oof.parquet"


def test_a_run_s_scores(score: Score, oof: Path) -> None:
    shown = score(oof, "--labels", oof, "--replicates", "200")
    assert shown.exit_code == 0
    text = shown.stdout
    assert "1,800 lesions" in text
    assert "300 patients" in text
    assert "score: blend" in text
    for word in ("pooled", "fold mean", "pAUC", "AUC", "SEtop15", " to ", "95% intervals from 200 draws of patients"):
        assert word in text
    assert "fold 0" not in text


def test_by_fold(score: Score, oof: Path) -> None:
    text = score(oof, "--labels", oof, "--replicates", "100", "--by", "fold").stdout
    for fold in range(4):
        assert f"fold {fold}" in text


def test_json_is_one_object_on_stdout(score: Score, oof: Path) -> None:
    shown = score(oof, "--labels", oof, "--replicates", "150", "--seed", "4", "--column", "xgboost", "--json")
    assert shown.stdout.count("\n") == 1
    result = json.loads(shown.stdout)
    assert (result["column"], result["replicates"], result["seed"]) == ("xgboost", 150, 4)
    assert result["predictions"] == result["labels"] == str(oof)
    assert set(result["pooled"]) == {"pauc", "auc", "setop15"}
    assert len(result["by_fold"]) == 4
    assert result["pooled"]["pauc"]["low"] < result["pooled"]["pauc"]["estimate"]


def test_two_scores_side_by_side(score: Score, oof: Path) -> None:
    arguments = (oof, "--labels", oof, "--vs", oof, "--vs-column", "lightgbm", "--replicates", "200")
    result = json.loads(score(*arguments, "--json").stdout)
    assert (result["column"], result["other"]["column"]) == ("blend", "lightgbm")
    assert result["difference"]["pooled"]["auc"]["estimate"] > 0
    assert result["difference"]["pooled"]["auc"]["distinguishable"]
    text = score(*arguments).stdout
    assert "compared with: lightgbm" in text
    assert "difference" in text
    assert "+0.0" in text


def test_what_can_not_be_told_apart_is_called_so(score: Score, oof: Path) -> None:
    text = score(oof, "--labels", oof, "--vs", oof, "--replicates", "100").stdout
    # Three metrics, pooled and as mean over folds.
    assert text.count("not distinguishable") == 6


def test_a_submission_against_labels_without_patients(score: Score, oof: Path, tmp_path: Path) -> None:
    frame = pl.read_parquet(oof)
    frame.select("isic_id", pl.col("blend").alias("target")).write_csv(tmp_path / "submission.csv")
    frame.select(pl.col("isic_id").alias("image_name"), "target").write_csv(tmp_path / "labels.csv")
    shown = score(tmp_path / "submission.csv", "--labels", tmp_path / "labels.csv", "--replicates", "100")
    assert "draws of lesions" in shown.stdout
    assert "note: no patient ids" in shown.stdout
    assert "SEtop15" not in shown.stdout
    asked = score(
        *(tmp_path / "submission.csv", "--labels", tmp_path / "labels.csv", "--replicates", "100", "--json"),
        *("--metric", "nnt80", "--metric", "average_precision"),
    )
    assert list(json.loads(asked.stdout)["pooled"]) == ["nnt80", "average_precision"]


def test_the_same_figures_from_csv_and_parquet_in_any_order(score: Score, oof: Path, tmp_path: Path) -> None:
    pl.read_parquet(oof).sort("blend").write_csv(tmp_path / "oof.csv")
    one = json.loads(score(oof, "--labels", oof, "--replicates", "100", "--json").stdout)
    other = json.loads(score(tmp_path / "oof.csv", "--labels", oof, "--replicates", "100", "--json").stdout)
    assert {**one, "predictions": ""} == {**other, "predictions": ""}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by", "sex"], "--by: nothing is known by 'sex'. use --by fold"),
        (["--vs-column", "blend"], "--vs-column: there is nothing to compare with"),
        (["--column", "nope"], "there is no score column 'nope'"),
        (["--metric", "nope"], "no metric 'nope'"),
        (["--replicates", "10"], "replicates: 10 are too few"),
        (["--seed", "-1"], "seed: -1 is negative"),
        (["--vs", "missing.csv"], "missing.csv: no such file"),
    ],
)
def test_wrong_arguments(score: Score, oof: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        score(oof, "--labels", oof, *arguments)


def test_by_fold_needs_folds(score: Score, oof: Path, tmp_path: Path) -> None:
    pl.read_parquet(oof).drop("fold").write_parquet(tmp_path / "unfolded.parquet")
    with pytest.raises(InputError, match="neither table has a column fold"):
        score(tmp_path / "unfolded.parquet", "--labels", tmp_path / "unfolded.parquet", "--by", "fold")


def test_constant_labels_are_refused(score: Score, oof: Path, tmp_path: Path) -> None:
    pl.read_parquet(oof).select("isic_id", pl.lit(0).alias("target")).write_csv(tmp_path / "labels.csv")
    with pytest.raises(InputError, match="there is no malignant lesion"):
        score(oof, "--labels", tmp_path / "labels.csv")


def test_a_user_s_mistake_is_one_line_and_status_2(oof: Path, tmp_path: Path, command) -> None:  # noqa: ANN001
    pl.read_parquet(oof).head(1790).write_parquet(tmp_path / "short.parquet")
    done = command("score", tmp_path / "short.parquet", "--labels", oof, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "10 of 1800 labelled lesions have no prediction" in done.stderr


def test_help_shows_an_example(score: Score) -> None:
    assert "uglyduck score runs/first/oof.parquet --labels" in " ".join(score("--help").stdout.split())


def test_a_finished_run(score: Score, finished: Path) -> None:
    oof = finished / "oof.parquet"
    shown = score(oof, "--labels", oof, "--replicates", "200", "--json")
    assert json.loads(shown.stdout)["column"] == "blend"


def test_other_ways_to_compute_it_are_shown_and_a_claim_is_matched(score: Score, oof: Path) -> None:
    quick = ("--labels", oof, "--replicates", "100")
    found = {
        row["name"]: row for row in json.loads(score(oof, *quick, "--explain-variants", "--json").stdout)["variants"]
    }
    assert not any(row["claimed"] for row in found.values())
    quoted = f"{found['standardised after McClish']['value']:.4f}"
    shown = score(oof, *quick, "--claimed", quoted).stdout
    assert re.findall(r"0\.\d{5} +claimed +(\S.*\S)", shown) == ["standardised after McClish"]
    assert "no way listed here gives 7.25" in score(oof, *quick, "--claimed", "7.25").stdout
    with pytest.raises(InputError, match="'much' is no number"):
        score(oof, *quick, "--claimed", "much")
