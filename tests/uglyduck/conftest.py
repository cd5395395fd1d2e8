"""A small simulated cohort and one finished run of it, made once."""

from __future__ import annotations

import hashlib
import io
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from cohort.simulator import write_folder
from engine.files import read_json, sha256_of, write_json
from uglyduck.cli import main

QUICK = """
[data]
metadata = "data/train-metadata.csv"
[folds]
n_folds = 3
[features]
groups = ["basic", "tbp", "patient.z", "context"]
[ensemble]
preset = "documented"
[ensemble.parameters]
lightgbm = { n_trees = 20 }
xgboost = { n_trees = 10 }
catboost = { n_trees = 10, depth = 3 }
[metrics]
replicates = 200
"""

PICTURED = """
[data]
metadata = "data/train-metadata.csv"
images = "data/train-image.hdf5"
[folds]
n_folds = 2
[features]
groups = ["basic", "tbp"]
[ensemble]
learners = ["lightgbm", "xgboost"]
[ensemble.parameters]
lightgbm = { n_trees = 20 }
xgboost = { n_trees = 10 }
[metrics]
replicates = 200
"""


def digests(run: Path) -> dict[str, str]:
    """SHA-256 of every artifact; what holds times and paths is left out, and lists of results, which have an order."""
    left_out = {"manifest.json", "config.toml", "run.log", ".lock"}
    found = [path for path in sorted(run.rglob("*")) if path.is_file() and path.name not in left_out]
    files = [path for path in found if path.parent.name != "asked"]
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def artifacts(run: Path) -> dict[str, str]:
    """The digests but for those of results, to which any command may add."""
    return {name: sha256 for name, sha256 in digests(run).items() if not name.startswith("results/")}


def accept(run: Path) -> None:
    """Let the manifest say that the files are as the run wrote them, though a test changed them or it."""
    manifest = read_json(run / "manifest.json")
    del manifest["sha256"]
    for stage in manifest["stages"].values():
        for part in ("outputs", "made_from"):
            kept = {name: run / name for name in stage[part] if (run / name).is_file()}
            stage[part] |= {name: sha256_of(path) for name, path in kept.items()}
    write_json(manifest, run / "manifest.json")


def some_wheel(folder: Path) -> Path:
    """A file under the name of our wheel, for bundles whose wheel is never opened."""
    path = folder / "uglyduck_triage-0-py3-none-any.whl"
    path.touch()
    return path


@dataclass(frozen=True)
class Done:
    """What a command left: its exit status and what it said."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]
PROGRAM = Path(sys.executable).with_name("uglyduck")


@pytest.fixture(scope="session")
def command(one_image_process: None) -> Command:
    """Run `uglyduck` as a user does, but in this process: starting Python costs more than the commands."""

    def call(*arguments: str | Path, check: bool = True) -> Done:
        out, err, status = io.StringIO(), io.StringIO(), 0
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "argv", ["uglyduck", *map(str, arguments)])
            try:
                main()
            except SystemExit as end:
                status = int(end.code or 0)
        done = Done(status, out.getvalue(), err.getvalue())
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
def finished(small: Path, command: Command) -> Iterator[Path]:
    """The run folder of `quick.toml`, for all tests to read; a test that writes into it takes `copied`."""
    run = small / "run"
    command("run", small / "quick.toml", "--out", run)
    held = artifacts(run)
    yield run
    assert artifacts(run) == held, "a test wrote into the run that all of them read: it should take `copied`"


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run for one test to write into."""
    return Path(shutil.copytree(finished, tmp_path / "copied"))


@pytest.fixture(scope="session")
def pictured(tmp_path_factory: pytest.TempPathFactory, command: Command) -> Path:
    """A folder with `data/` (600 lesions with crops, 40 malignant), `pictured.toml` and its finished run in `run/`."""
    folder = tmp_path_factory.mktemp("pictured")
    write_folder(folder / "data", 600, seed=3, malignant=40, test_lesions=150, images=True)
    (folder / "pictured.toml").write_text(PICTURED)
    command("run", folder / "pictured.toml", "--out", folder / "run")
    return folder
