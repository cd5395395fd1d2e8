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
#: Seconds at most, and processor time that the commit before imports waited for their command took, measured once.
COMMANDS = {"--help": (0.5, 1.1), "predict runs/nope --metadata lesions.csv": (1.0, 1.4)}


@pytest.mark.bench
def test_what_needs_nothing_heavy_answers_at_once(tmp_path: Path) -> None:
    rows, slow = [], []
    for command, (bound, before) in COMMANDS.items():
        each = [_measured(command, tmp_path) for _ in range(REPEATS)]
        seconds, busy = (min(values) for values in zip(*each, strict=True))
        rows.append([f"`uglyduck {command}`", f"{seconds:.2f}", f"{busy:.2f}", f"{before:.2f}", f"{bound:g}"])
        slow += [command] * (seconds >= bound)
    about = f"The shortest of {REPEATS} starts. Before, imports did not wait for the command that needs them."
    record("Start-up", about, ["command", "seconds", "of processor time", "before", "bound, seconds"], rows)
    assert not slow


def _measured(command: str, folder: Path) -> tuple[float, float]:
    """Wall and processor time, in seconds."""
    start, before = time.perf_counter(), os.times()
    subprocess.run([PROGRAM, *command.split()], cwd=folder, check=False, capture_output=True)
    after = os.times()
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - start, busy
