"""How far long work is: reported where it is done, heard by whoever listens in the same process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

#: Called with a title, how much is done and how much there is in all.
Listener = Callable[[str, int, int], None]

_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hear every report of this process until the block ends."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def report(title: str, done: int, total: int) -> None:
    """Say how far a piece of work is; nothing happens where nobody listens, as in a worker process."""
    for listener in tuple(_listeners):
        listener(title, done, total)


def steps(title: str, total: int) -> Callable[[], None]:
    """Begin a piece of work of so many steps; what to call after each."""
    done = count()
    report(title, next(done), total)
    return lambda: report(title, next(done), total)
