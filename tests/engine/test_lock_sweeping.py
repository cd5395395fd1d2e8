"""What is swept out when a folder is locked, and what is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from engine.files import TEMPORARY, atomic_path, temporary_prefix
from engine.locks import locked

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


def test_what_somebody_is_writing_is_left_alone(tmp_path: Path) -> None:
    (scratch := tmp_path / f"{temporary_prefix()}folder").mkdir()
    with atomic_path(tmp_path / "results" / "some.result") as temporary:
        temporary.write_text("whole")
        with locked(tmp_path):
            pass
        assert scratch.is_dir()
    assert (tmp_path / "results" / "some.result").read_text() == "whole"
