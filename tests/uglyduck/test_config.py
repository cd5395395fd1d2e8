"""TOML in, frozen settings out; a mistake is explained."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from engine.errors import InputError
from uglyduck.run.config import Config, DataConfig, load_config, write_config


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(text)
    return path


def test_two_lines_are_enough_and_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, '[data]\nmetadata = "data/train.csv"\n'))
    assert config.data.metadata == tmp_path.resolve() / "data/train.csv"
    assert config == Config(data=DataConfig(metadata=config.data.metadata))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[data]\nmetdata = "x"', r"run.toml, data.metdata: unknown key 'metdata'. did you mean 'metadata'."),
        ('[data]\nmetadata = "x"\n[fold]\nseed = 1', r"unknown key 'fold'. did you mean 'folds'."),
        ('[data]\nmetadata = "x"\nzzz = 1', r"unknown key 'zzz'. known here: metadata, join, columns"),
        ("[folds]\nseed = 1", r"run.toml, data: 'data' is missing. add it."),
        ('[data]\nmetadata = "x"\n[folds]\nn_folds = 1', r"folds.n_folds: .*greater than or equal to 2 \(given: 1\)"),
        ('[data]\nmetadata = "x"\n[folds]\nn_folds = "many"', r"folds.n_folds: .*valid integer"),
        ('[data]\nmetadata = "x"\n[ensemble]\nlearners = []', r"ensemble.learners: .*at least 1 item"),
        ("[data\n", r"run.toml: not valid TOML"),
    ],
)
def test_a_mistake_names_the_place_and_the_remedy(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_config(write(tmp_path, text))


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such configuration file"):
        load_config(tmp_path / "none.toml")


def test_the_resolved_file_reads_back_the_same_with_every_default_spelled_out(tmp_path: Path) -> None:
    text = '[data]\nmetadata = "x.csv"\n[ensemble]\nbenign_per_malignant = inf\nseeds = [1, 2]\n'
    text += "[ensemble.parameters.lightgbm]\nn_trees = 7\n"
    config = load_config(write(tmp_path, text))
    write_config(config, tmp_path / "resolved.toml")
    assert load_config(tmp_path / "resolved.toml") == config
    assert math.isinf(config.ensemble.benign_per_malignant)
    assert "replicates = 10000" in (tmp_path / "resolved.toml").read_text()
