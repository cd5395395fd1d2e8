"""Progress of long work: reported where it is done, heard by any listener in the same process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

#: Called with a title, how much is done and how much there is in all.
Listener = Callable[[str, int, int], None]

_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Send every report of this process to a listener until the block ends."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def report(title: str, done: int, total: int) -> None:
    """Report the progress of a piece of work; does nothing if nobody listens, as in a worker process."""
    for listener in tuple(_listeners):
        listener(title, done, total)


def steps(title: str, total: int) -> Callable[[], None]:
    """Begin a piece of work of `total` steps; returns what to call after each."""
    done = count()
    report(title, next(done), total)
    return lambda: report(title, next(done), total)
