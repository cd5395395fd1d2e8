import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cv_folds.metrics import partial_auc
from engine.files import read_json
from uglyduck.run.config import load_config

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def tuned(finished: Path, command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished run, LightGBM tuned in 3 trials."""
    run = tmp_path_factory.mktemp("tune") / "run"
    shutil.copytree(finished, run)
    command("tune", run, "--trials", "3")
    return run


def test_what_is_measured_with_the_runs_parameters_is_the_runs_own_score(tuned: Path) -> None:
    oof = pl.read_parquet(tuned / "oof.parquet")
    by_fold = [
        partial_auc(part["target"].to_numpy(), part["lightgbm"].to_numpy())
        for _, part in sorted(oof.group_by("fold", maintain_order=True), key=lambda one: one[0])
    ]
    assert read_json(tuned / "tuning" / "lightgbm" / "tuning.json")["run"]["by_fold"] == by_fold


def test_the_runs_own_parameters_are_not_trained_again_and_a_trial_trains_a_model_a_fold(
    finished: Path, tuned: Path
) -> None:
    there, now = ({path.name for path in (run / "results").glob("??/*")} for run in (finished, tuned))
    result = read_json(tuned / "tuning" / "lightgbm" / "tuning.json")
    assert result["trials"] == {"complete": 3, "pruned": 0, "failed": 0}
    assert there < now
    assert len(now - there) == 3 * 3


def test_the_parameters_found_can_be_pasted_into_a_configuration(tuned: Path, small: Path, tmp_path: Path) -> None:
    result = read_json(tuned / "tuning" / "lightgbm" / "tuning.json")
    chosen = tomllib.loads(result["toml"])["ensemble"]["parameters"]["lightgbm"]
    assert chosen == {"n_trees": 20, **result["best"]["parameters"]}
    config = tmp_path / "tuned.toml"
    metadata = small / "data" / "train-metadata.csv"
    config.write_text(f'[data]\nmetadata = "{metadata}"\n{result["toml"]}')
    assert load_config(config).ensemble.parameters["lightgbm"] == chosen


def test_the_answer_names_the_flattering_figure_as_such(tuned: Path, command: Command) -> None:
    said = command("tune", tuned, "--trials", "3").stdout
    assert "optimistic" in said
    assert "honest (nested selection)" in said
    assert "[ensemble.parameters.lightgbm]" in said


def test_json_is_one_object_and_further_trials_are_added(tuned: Path, command: Command) -> None:
    result = json.loads(command("tune", tuned, "--trials", "4", "--json").stdout)
    assert sum(result["trials"].values()) == 4
    assert result == read_json(tuned / "tuning" / "lightgbm" / "tuning.json")


def test_nested_tunes_without_each_outer_fold(tuned: Path, command: Command) -> None:
    result = json.loads(command("tune", tuned, "--trials", "1", "--learner", "xgboost", "--nested", "--json").stdout)
    assert result["honest"]["estimate"] == "nested"
    assert [one["fold"] for one in result["honest"]["chosen"]] == [0, 1, 2]
    assert (tuned / "tuning" / "xgboost" / "outer1" / "journal.log").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--learner", "lightgmb"), "the run trains no 'lightgmb'"),
        (("--trials", "0"), "greater than or equal to 1"),
    ],
)
def test_what_can_not_be_done_is_said_in_one_line(
    arguments: tuple[str, str], said: str, finished: Path, command: Command
) -> None:
    done = command("tune", finished, *arguments, check=False)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert not (finished / "tuning").exists()


def test_a_folder_without_a_run_is_refused(tmp_path: Path, command: Command) -> None:
    done = command("tune", tmp_path, check=False)
    assert done.returncode == 2
    assert "this folder holds no run" in done.stderr
