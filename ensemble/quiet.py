"""Silences a library's warnings when several threads work: warning filters belong to the whole process."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_ALONE = Lock()


@contextmanager
def quiet(category: type[Warning] = Warning) -> Iterator[None]:
    """Ignore warnings of a category in this block; one thread at a time may be in such a block.

    Two threads in `warnings.catch_warnings` at once would each restore what the other set.
    """
    with _ALONE, warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield
