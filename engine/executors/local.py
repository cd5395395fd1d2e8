"""Work on this machine, in threads or in processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from threadpoolctl import threadpool_limits

from engine.executors.mapped import with_arrays_on_disk
from engine.executors.protocol import Item, Result, Shared, Task
from engine.scratch import scratch


@dataclass(frozen=True)
class LocalExecutor:
    """Threads of this process, or processes of this machine.

    Attributes:
        cores: CPU cores to use.
    """

    cores: int

    def map(
        self,
        task: Task[Shared, Item, Result],
        shared: Shared,
        items: Iterable[Item],
        *,
        at_once: int | None = None,
        processes: bool = False,
        gpus: float = 0.0,  # noqa: ARG002 - a GPU of this machine is the task's own business
    ) -> Iterator[Result]:
        """See `Executor.map`.

        Linear algebra is limited to one thread per task, so that its results are bit-identical.
        """
        workers = max(1, min(at_once or self.cores, self.cores))
        share = -(-self.cores // workers)
        if processes and workers > 1:
            yield from self._in_processes(task, shared, items, workers, share)
            return
        with threadpool_limits(1, user_api="blas"):
            pool = ThreadPoolExecutor(workers, thread_name_prefix=_THREAD)
            stopped = False
            try:
                yield from _in_turn(lambda item: pool.submit(task, shared, item, share), items, 2 * workers)
            except KeyboardInterrupt:
                stopped = True  # after Ctrl-C, do not wait for running tasks
                raise
            finally:
                # An abandoned generator may be collected in one of the pool's threads, which cannot wait for itself.
                own = threading.current_thread().name.startswith(_THREAD)
                pool.shutdown(wait=not own and not stopped, cancel_futures=True)

    def _in_processes(
        self, task: Task[Shared, Item, Result], shared: Shared, items: Iterable[Item], workers: int, share: int
    ) -> Iterator[Result]:
        with scratch() as folder:
            light = with_arrays_on_disk(shared, folder)
            # A fork after OpenMP or polars has started threads would hang.
            context = multiprocessing.get_context("spawn")
            pool = ProcessPoolExecutor(workers, context, initializer=_hold, initargs=(light,))
            try:
                yield from _in_turn(lambda item: pool.submit(_with_held, task, item, share), items, 2 * workers)
            finally:
                pool.shutdown(cancel_futures=True)


_THREAD = "uglyduck-executor"
_held: Any = None


def _hold(shared: object) -> None:
    global _held  # noqa: PLW0603 - a worker process has one shared value for its whole life
    _held = shared
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a traceback of its own
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process with its parent: a killed parent cannot end it, and nobody waits for its results."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _with_held(task: Task[Any, Item, Result], item: Item, cores: int) -> Result:
    with threadpool_limits(1, user_api="blas"):
        return task(_held, item, cores)


def _in_turn(submit: Callable[[Item], Future[Result]], items: Iterable[Item], ahead: int) -> Iterator[Result]:
    """Results in the order of the items; at most `ahead` + 1 items are taken before their turn."""
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(submit(item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
