"""Several models at a time: one that takes all cores leaves them idle for a part of its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from engine.work import in_turn, workers

#: Models trained or asked at a time at most: each holds its own part of the table.
MOST = 4
Item = TypeVar("Item")
Made = TypeVar("Made")


@contextmanager
def side_by_side(work: Callable[[Item, int], Made], items: Sequence[Item], *, threads: int) -> Iterator[Iterator[Made]]:
    """Work on several items at the same time, each with its share of the threads.

    The boosting libraries let go of Python's lock while they work, so threads do; nothing is copied between processes.

    Args:
        work: Called with an item and the number of CPU threads it may take.
        items: What to work on.
        threads: CPU threads of all together, 1 or more; a share is rounded up.

    Yields:
        What `work` returns, in the order of the items; what it raises is raised when its turn comes. Where the block is
        left early, by Ctrl-C too, the items that have begun are finished and thrown away.
    """
    at_once = max(1, min(MOST, threads, len(items)))
    share = -(-threads // at_once)
    with workers(at_once) as pool:
        yield in_turn(pool, lambda item: work(item, share), items, 2 * at_once)
