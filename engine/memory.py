"""Memory that is free already, given back to the machine."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Let the C library return what it keeps of freed arrays; does nothing where it is not glibc.

    After a table of features was made and dropped it keeps about as much as the table was, in pieces that the arrays of
    the next one do not fit in: without this, a study that makes a table a fold grows with each.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
