"""What makes a stage again, what makes a model again, and what makes nothing again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

import engine.code
from tests.uglyduck.conftest import QUICK, Command

HOUSE = Path(engine.code.__file__).parents[1]
STAGES = ("lesions", "folds", "features", "models", "scores", "metrics")
Change = Callable[[str, str, str], None]


def unchanged(said: str) -> list[str]:
    return [stage for stage in STAGES if re.search(rf"{stage} +unchanged", said)]


@pytest.fixture
def change_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Change]:
    """Change a line of a copy of our sources, of which fingerprints are then taken."""
    copy = tmp_path / "house"
    for package in engine.code.OURS:
        shutil.copytree(HOUSE / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(engine.code, "_HERE", copy)

    def change(file: str, old: str, new: str) -> None:
        text = (copy / file).read_text("utf-8")
        assert old in text
        (copy / file).write_text(text.replace(old, new, 1), "utf-8")
        _forget()

    _forget()
    yield change
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    from ensemble.jobs import job

    for cached in (engine.code.code_behind, engine.code._imports, engine.code._meaning, engine.code._place, job._code):
        cached.cache_clear()


def again(command: Command, small: Path, run: Path) -> str:
    return command("run", small / "quick.toml", "--out", run).stderr


def test_a_comment_or_a_docstring_makes_nothing_again(
    small: Path, copied: Path, command: Command, change_code: Change
) -> None:
    change_code("cohort/checking/codes.py", "from cohort", "# a comment\nfrom cohort")
    change_code("cohort/reading.py", '"""Reading a lesion table', '"""Reads a lesion table')
    change_code("ensemble/sampling.py", "malignant = np.flatnonzero", "# the few\n    malignant = np.flatnonzero")
    assert unchanged(again(command, small, copied)) == list(STAGES)


def test_a_reader_that_reads_the_same_table_makes_the_lesions_again_and_nothing_else(
    small: Path, copied: Path, command: Command, change_code: Change
) -> None:
    change_code(
        "cohort/csv_tables.py", "from __future__ import annotations\n", "from __future__ import annotations\nA = 1\n"
    )
    assert unchanged(again(command, small, copied)) == list(STAGES[1:])


@pytest.mark.parametrize(
    "changed",
    [
        ("uglyduck/stages/scores.py", "np.where(run.has_crop,", "np.where(~run.has_crop,"),
        ("ensemble/blend.py", "total += weight *", "total -= weight *"),
        ("ensemble/panel.py", "prevalence=prevalence", "prevalence=None"),
    ],
)
def test_a_changed_sign_where_scores_are_blended_blends_again_and_trains_nothing(
    small: Path, copied: Path, command: Command, change_code: Change, changed: tuple[str, str, str]
) -> None:
    change_code(*changed)
    said = again(command, small, copied)
    assert "scores" not in unchanged(said)
    assert {"lesions", "folds", "features"} <= set(unchanged(said))
    assert not re.search(r"models +(lightgbm|xgboost|catboost)", said)


def test_a_changed_sign_where_figures_are_made_measures_again(
    small: Path, copied: Path, command: Command, change_code: Change
) -> None:
    change_code("cv_folds/metrics/partial_auc.py", "return", "return -1 *")
    said = again(command, small, copied)
    assert "metrics" not in unchanged(said)
    assert not re.search(r"models +(lightgbm|xgboost|catboost)", said)


def test_changed_code_of_one_learner_trains_that_learner_alone(
    small: Path, copied: Path, command: Command, change_code: Change
) -> None:
    change_code("ensemble/learners/xgboost.py", '"tree_method": "hist"', '"tree_method": "approx"')
    said = again(command, small, copied)
    assert len(re.findall(r"models +xgboost/", said)) == 3
    assert "models    6 of 9 there already" in said


def test_another_library_trains_its_learner_again(
    small: Path, copied: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ensemble.jobs import job

    monkeypatch.setattr(job, "_library", lambda name: f"{name} 0.0.1" if name == "lightgbm" else job.version(name))
    # The stage itself looks at versions too; here only the jobs' names are changed.
    (copied / "models/lightgbm/fold0-seed0.txt").unlink()
    said = again(command, small, copied)
    assert len(re.findall(r"models +lightgbm/", said)) == 3


def with_data(folder: Path, frame: pl.DataFrame, config: str = QUICK) -> Path:
    (folder / "data").mkdir(exist_ok=True)
    frame.write_csv(folder / "data/train-metadata.csv")
    (folder / "quick.toml").write_text(config)
    return folder / "quick.toml"


def test_the_truth_is_measured_with_and_nothing_else_is_made_again(
    small: Path, copied: Path, tmp_path: Path, command: Command
) -> None:
    told = QUICK.replace('csv"', f'csv"\ntruth = "{small}/data/truth.parquet"')
    shutil.copytree(small / "data", tmp_path / "data")
    (tmp_path / "told.toml").write_text(told)
    said = command("run", tmp_path / "told.toml", "--out", copied).stderr
    assert unchanged(said) == list(STAGES[:-1])


def test_weights_of_training_are_part_of_a_model(small: Path, copied: Path, tmp_path: Path, command: Command) -> None:
    """Half of the indeterminate lesions become benign ones: every model is another."""
    weighed = QUICK.replace("[ensemble]\n", "[ensemble]\nindeterminate_weight = 0.05\n")
    table = pl.read_csv(small / "data/train-metadata.csv", infer_schema=False)
    marked = table.with_columns(
        iddx_1=pl.when((pl.col("target") == "0") & (pl.int_range(pl.len()) % 5 == 0))
        .then(pl.lit("Indeterminate"))
        .otherwise("iddx_1")
    )
    command("run", with_data(tmp_path, marked, weighed), "--out", copied)
    halved = marked.with_columns(
        iddx_1=pl.when((pl.col("iddx_1") == "Indeterminate") & (pl.int_range(pl.len()) % 2 == 0))
        .then(pl.lit("Benign"))
        .otherwise("iddx_1")
    )
    said = command("run", with_data(tmp_path, halved, weighed), "--out", copied).stderr
    assert "features" not in unchanged(said) or "models" not in unchanged(said)
    assert len(re.findall(r"models +(?:lightgbm|xgboost|catboost)/", said)) == 9
    assert "there already" not in said.split("scores")[0]
