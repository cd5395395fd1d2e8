"""What is swept out when a folder is locked, and what is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.files import TEMPORARY, atomic_path, temporary_prefix
from engine.locks import locked
from engine.scratch import _sweep, scratch

_KILLED = """
import os, signal, sys
from pathlib import Path
from engine.files import atomic_path
with atomic_path(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_swept_out(tmp_path: Path) -> None:
    (tmp_path / f"{TEMPORARY}folder" / "inside").mkdir(parents=True)
    (tmp_path / f"{TEMPORARY}folder" / f"{TEMPORARY}file").touch()
    (tmp_path / "models" / "kept").mkdir(parents=True)
    (tmp_path / "models" / f"{TEMPORARY}file.npy").touch()
    with locked(tmp_path):
        pass
    assert sorted(path.name for path in tmp_path.rglob("*")) == [".lock", "kept", "models"]


def test_what_a_process_that_was_killed_while_writing_left_is_swept_out(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _KILLED, tmp_path / "results" / "some.result"], check=False)
    assert [path.read_text() for path in tmp_path.rglob(f"{TEMPORARY}*")] == ["half"]
    with locked(tmp_path):
        assert not list(tmp_path.rglob(f"{TEMPORARY}*"))


def test_what_was_left_of_a_file_goes_when_it_is_written_again_and_nothing_else_does(tmp_path: Path) -> None:
    out = tmp_path / "submission.csv"
    for name in ("submission.csv", "other.csv"):
        subprocess.run([sys.executable, "-c", _KILLED, tmp_path / name], check=False)
    (tmp_path / f"{TEMPORARY}notes.csv").write_text("of somebody else")
    assert len(list(tmp_path.iterdir())) == 3
    with atomic_path(out) as temporary:
        temporary.write_text("whole")
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ["half", "of somebody else", "whole"]


_KILLED_IN_SCRATCH = """
import os, signal, sys
from pathlib import Path
from engine.scratch import scratch
with scratch(Path(sys.argv[1])) as folder:
    (folder / "large.npy").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_scratch_of_a_killed_process_is_swept_out_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    (tmp_path / "uglyduck-mine").mkdir()  # nobody knows whose
    with scratch(tmp_path) as living:
        subprocess.run([sys.executable, "-c", _KILLED_IN_SCRATCH, tmp_path], check=False)
        (left,) = (path.parent for path in tmp_path.rglob("large.npy"))
        _sweep.cache_clear()
        with scratch(tmp_path) as mine:
            assert not left.exists()
            assert living.is_dir()
            assert mine.is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["uglyduck-mine"]


@pytest.mark.parametrize("files", [(), (".new",), (".new", "large.npy")])
def test_scratch_of_a_process_killed_before_it_held_it_is_swept_out_if_it_is_empty(
    tmp_path: Path, files: tuple[str, ...]
) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (left := tmp_path / f"uglyduck-{dead.pid}-a").mkdir()
    (living := tmp_path / f"uglyduck-{os.getpid()}-a").mkdir()
    for name in files:
        (left / name).touch()
    _sweep.cache_clear()
    with scratch(tmp_path):
        assert left.exists() is ("large.npy" in files)
        assert living.is_dir()


def test_what_others_put_among_scratch_folders_hangs_and_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / f"uglyduck-{10**30}-x").mkdir()  # the number of no process
    for name in ("pipe", "link"):
        (tmp_path / f"uglyduck-1-{name}").mkdir()
    os.mkfifo(tmp_path / "uglyduck-1-pipe/.held")
    (tmp_path / "uglyduck-1-link/.held").symlink_to(tmp_path / "uglyduck-1-pipe/.held")
    _sweep.cache_clear()
    with scratch(tmp_path):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["uglyduck-1-link", "uglyduck-1-pipe"]


def test_what_a_process_on_another_host_writes_is_left_alone(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mine = temporary_prefix(out := tmp_path / "submission.csv").replace(f"{os.getpid()}_", f"{dead.pid}_")
    (here := tmp_path / f"{mine}a").touch()
    (elsewhere := tmp_path / f"{mine.replace('_', '_f')}a").touch()
    with atomic_path(out), locked(tmp_path):
        assert not here.exists()
        assert elsewhere.exists()


def _refused(folder: Path, made: str) -> None:
    with locked(folder, also={"config.toml"}):
        (folder / made).touch()
        raise InputError("wrong", remedy="mend it")


def test_a_folder_that_was_not_there_goes_again_where_the_work_is_refused_at_once(tmp_path: Path) -> None:
    new = tmp_path / "new/deep"
    for made, left in ((".lock", False), ("config.toml", False), ("models", True)):
        with pytest.raises(InputError, match="wrong"):
            _refused(new, made)
        assert new.exists() == left
        assert new.parent.exists() == left


def test_what_somebody_is_writing_is_left_alone(tmp_path: Path) -> None:
    (folder := tmp_path / (temporary_prefix(tmp_path / "folder") + "folder")).mkdir()
    with atomic_path(tmp_path / "results" / "some.result") as temporary:
        temporary.write_text("whole")
        with locked(tmp_path):
            pass
        assert folder.is_dir()
    assert (tmp_path / "results" / "some.result").read_text() == "whole"
