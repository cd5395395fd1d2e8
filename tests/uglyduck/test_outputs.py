"""Every command tries the place it writes to before it does anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.uglyduck.conftest import QUICK, Command

# What else is given does not exist, or is an empty run: a command that looked into it first would say so.
FILES = [
    ["predict", "no-run", "--metadata", "none.csv", "--out"],
    ["rank", "no-run", "--metadata", "none.csv", "--out"],
    ["report", "no-run", "--out"],
    ["report", "no-run", "--picture"],
    ["card", "no-run", "--out"],
    ["features", "no-run", "--metadata", "none.csv", "--out"],
    ["images", "apply", "no-model", "--images", "none.hdf5", "--out"],
    ["images", "perturb", "no-model", "--images", "none.hdf5", "--out"],
    ["images", "describe", "--images", "none.hdf5", "--out"],
    ["images", "compare", "no-model", "--out"],
]
FOLDERS = [
    ["demo", "--out"],
    ["simulate"],
    ["bundle", "no-run", "--out"],
    ["compare", "no-run", "no-run", "--out"],
    ["explain", "no-run", "--metadata", "none.csv", "--out"],
    ["images", "train", "--metadata", "none.csv", "--images", "none.hdf5", "--out"],
]


@pytest.fixture(autouse=True)
def _empty_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no-run").mkdir()
    (tmp_path / "no-run/config.toml").touch()
    monkeypatch.chdir(tmp_path)


def _refused(command: Command, arguments: list[str | Path], what: str) -> None:
    done = command(*arguments, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert what in line


@pytest.mark.parametrize("call", FILES, ids=" ".join)
def test_a_folder_in_the_place_of_a_file_is_refused_at_once(call: list[str], tmp_path: Path, command: Command) -> None:
    (tmp_path / "place.csv").mkdir()
    _refused(command, [*call, tmp_path / "place.csv"], "place.csv: this is a folder, and a file is to be written")
    (tmp_path / "file").write_text("mine")
    _refused(command, [*call, tmp_path / "file/below.csv"], "file: this is a file, not a folder")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("call", FOLDERS, ids=" ".join)
def test_a_file_in_the_place_of_a_folder_is_refused_at_once(call: list[str], tmp_path: Path, command: Command) -> None:
    (tmp_path / "place").write_text("mine")
    _refused(command, [*call, tmp_path / "place"], "place: this is a file, and a folder is to be filled")
    assert (tmp_path / "place").read_text() == "mine"


def test_a_run_goes_into_a_folder(small: Path, tmp_path: Path, command: Command) -> None:
    (tmp_path / "place").write_text("mine")
    call: list[str | Path] = ["run", small / "quick.toml", "--out", tmp_path / "place"]
    _refused(command, call, "place: this is a file, and a folder is to be filled")
    assert (tmp_path / "place").read_text() == "mine"
    _refused(command, [*call[:3], "/proc/run"], "/proc: cannot write here")


def test_an_error_of_the_operating_system_is_one_line(tmp_path: Path, command: Command) -> None:
    (tmp_path / "table.csv").mkdir()
    (tmp_path / "odd.toml").write_text(QUICK.replace("data/train-metadata.csv", "table.csv/deep.csv"))
    (tmp_path / "table.csv/deep.csv").symlink_to(tmp_path / "table.csv/deep.csv")  # a link to itself
    _refused(command, ["run", tmp_path / "odd.toml", "--out", tmp_path / "run"], "deep.csv")
