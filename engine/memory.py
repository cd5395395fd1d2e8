"""Memory that is free already, given back to the machine."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

_ARENA_MAX = -8  # of mallopt, in glibc's malloc.h


def share_heaps() -> None:
    """Let threads share as many heaps of the C library as this process has cores; does nothing where it is not glibc.

    Otherwise a new thread gets a heap of its own, up to eight a core, and each keeps the most that it ever held, so
    that a pool of threads for each block of a table grows the process block by block. To be called before many threads
    have started: the C library looks at it once.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, len(os.sched_getaffinity(0)))


def give_back() -> None:
    """Let the C library return what it keeps of freed arrays; does nothing where it is not glibc.

    After a table of features was made and dropped it keeps about as much as the table was, in pieces that the arrays of
    the next one do not fit in: without this, a study that makes a table a fold grows with each.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
