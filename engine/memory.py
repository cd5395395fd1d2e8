"""Freed memory, given back to the machine."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

_ARENA_MAX = -8  # of mallopt, in glibc's malloc.h


def share_heaps() -> None:
    """Let threads share one heap of the C library per core of this process; does nothing without glibc.

    Otherwise each new thread gets its own heap, up to eight per core, and each heap keeps the most it ever held, so
    that a thread pool for each block of a table makes the process grow block by block. Call this before many threads
    have started: the C library reads the setting only once.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, len(os.sched_getaffinity(0)))


def give_back() -> None:
    """Make the C library return the memory it keeps from freed arrays; does nothing without glibc.

    After a table of features is dropped, the library keeps about as much memory as it took, in pieces that the next
    table's arrays do not fit into. Without this, a study that makes one table per fold grows with each.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
