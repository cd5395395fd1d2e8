"""Freed memory goes back."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SCRIPT = """
from pathlib import Path
import numpy as np
from engine.memory import give_back
def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
arrays = [np.ones(1_000) for _ in range(20_000)]  # 160 MB in pieces that the heap holds
top = np.ones(1_000)  # keeps the heap from shrinking by itself
del arrays[:]
before = held()
give_back()
print(before, held())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_what_was_freed_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], check=True, capture_output=True, text=True)
    before, after = map(int, done.stdout.split())
    assert before - after > 100e6
