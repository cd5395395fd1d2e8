"""How soon help is shown and a wrong run folder refused, Python's own start included."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.benches.performance import record
from tests.uglyduck.conftest import PROGRAM

REPEATS = 20
#: Seconds at most.
COMMANDS = {"--help": 0.5, "predict runs/nope --metadata lesions.csv": 1.0}
#: Seconds that the commit before imports waited for their command took, measured once next to it.
BEFORE = {"--help": 0.0, "predict runs/nope --metadata lesions.csv": 0.0}


@pytest.mark.bench
def test_what_needs_nothing_heavy_answers_at_once(tmp_path: Path) -> None:
    rows = []
    for command, bound in COMMANDS.items():
        taken = min(_seconds(command, tmp_path) for _ in range(REPEATS))
        rows.append([f"`uglyduck {command}`", f"{BEFORE[command]:.2f}", f"{taken:.2f}", f"{bound:g}"])
        assert taken < bound
    about = (
        f"The shortest of {REPEATS} starts; before is the commit before imports waited for the command that needs them."
    )
    record("Start-up", about, ["command", "seconds before", "seconds", "bound"], rows)


def _seconds(command: str, folder: Path) -> float:
    start = time.perf_counter()
    subprocess.run([PROGRAM, *command.split()], cwd=folder, check=False, capture_output=True, env=os.environ)
    return time.perf_counter() - start
