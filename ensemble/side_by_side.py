"""Several models trained at a time: one that takes all cores leaves them idle for a part of its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

#: Models trained at a time at most: each holds its own sample of the table.
MOST = 4
Made = TypeVar("Made")


def side_by_side(jobs: Sequence[Callable[[int], Made]], *, threads: int) -> Iterator[Made]:
    """Run jobs at the same time, each on its share of the threads.

    The boosting libraries let go of Python's lock while they train, so threads do; nothing is copied between processes.

    Args:
        jobs: Each is called with the number of CPU threads it may take.
        threads: CPU threads of all jobs together, 1 or more.

    Yields:
        What the jobs return, in their order.

    Raises:
        Exception: What a job raises, when its turn comes; those that have not begun are then dropped.
    """
    workers = max(1, min(MOST, threads, len(jobs)))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="model")
    try:
        running = [pool.submit(job, threads // workers) for job in jobs]
        for future in running:
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)
