"""Freed memory goes back."""

from __future__ import annotations

import os
import platform
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

_HEAPS = """
import ctypes, os, threading
from engine.memory import share_heaps
share_heaps()
count = 2 * os.cpu_count() + 2
all_there = threading.Barrier(count)
def work():
    ctypes.CDLL(None).malloc(1_000)
    all_there.wait()
threads = [threading.Thread(target=work) for _ in range(count)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
library = ctypes.CDLL(None)
library.malloc_info(0, ctypes.c_void_p.in_dll(library, "stdout"))
library.fflush(None)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a heap for each thread is glibc's way")
def test_threads_share_as_many_heaps_as_there_are_cores() -> None:
    done = subprocess.run([sys.executable, "-c", _HEAPS], check=True, capture_output=True, text=True)
    assert 1 <= done.stdout.count("<heap nr=") <= (os.cpu_count() or 1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_what_was_freed_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], check=True, capture_output=True, text=True)
    before, after = map(int, done.stdout.split())
    assert before - after > 100e6
