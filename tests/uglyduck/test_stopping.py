"""Ctrl-C ends a command with one line that says how to go on, and what a run said stays in its log."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from engine.files import TEMPORARY
from tests.uglyduck.conftest import PROGRAM


def test_ctrl_c_ends_a_run_with_one_line(small: Path, tmp_path: Path) -> None:
    call = [PROGRAM, "run", small / "quick.toml", "--out", tmp_path / "run"]
    with subprocess.Popen(call, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        said = process.stderr
        assert said is not None
        for line in said:
            if " models " in line:  # the first model is there, others are being trained
                break
        os.killpg(process.pid, signal.SIGINT)
        rest = said.read()
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert rest.endswith("\nstopped; nothing is half-written. The same command resumes where it stopped.\n")
    assert list((tmp_path / "run").rglob(f"{TEMPORARY}*")) == []
    log = (tmp_path / "run/run.log").read_text()
    assert "INFO uglyduck run …/quick.toml --out …/run" in log  # where it lay is nobody's business
    assert "INFO features" in log
    assert "ERROR ended" in log


def test_the_log_of_a_run_tells_its_stages(finished: Path) -> None:
    log = (finished / "run.log").read_text()
    for stage in ("lesions", "folds", "features", "models", "scores", "metrics"):
        assert f"INFO {stage}" in log
