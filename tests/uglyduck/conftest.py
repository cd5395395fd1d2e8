"""A small simulated cohort and one finished run of it, made once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cohort.simulator import write_folder

QUICK = """
[data]
metadata = "data/train-metadata.csv"
[folds]
n_folds = 3
[features]
groups = ["basic", "tbp", "patient.z", "context"]
[ensemble.parameters]
lightgbm = { n_trees = 20 }
xgboost = { n_trees = 10 }
catboost = { n_trees = 10 }
[metrics]
replicates = 200
"""

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def command() -> Command:
    """Run `uglyduck` as a user does, in a process of its own."""
    program = Path(sys.executable).with_name("uglyduck")

    def call(*arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done

    return call


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data/` (3,000 lesions, 60 malignant) and `quick.toml`."""
    folder = tmp_path_factory.mktemp("small")
    write_folder(folder / "data", 3_000, seed=1, malignant=60, test_lesions=600)
    (folder / "quick.toml").write_text(QUICK)
    return folder


@pytest.fixture(scope="session")
def finished(small: Path, command: Command) -> Path:
    """The run folder of `quick.toml`."""
    command("run", small / "quick.toml", "--out", small / "run")
    return small / "run"
