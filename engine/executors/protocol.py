"""The interface for spreading work: one task on many items, some at the same time, with results in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")
#: What is done with one item: `task(shared, item, cores)`. Defined at the top of a module, so that another process
#: finds it by name; its result must not depend on `cores`.
Task = Callable[[Shared, Item, int], Result]


class Executor(Protocol):
    """Runs tasks; results never depend on where they run, how many run at a time, or which finishes first."""

    @property
    def cores(self) -> int:
        """CPU cores of all tasks together, 1 or more."""
        ...

    def map(
        self,
        task: Task[Shared, Item, Result],
        shared: Shared,
        items: Iterable[Item],
        *,
        at_once: int | None = None,
        processes: bool = False,
        gpus: float = 0.0,
    ) -> Iterator[Result]:
        """Run a task on each item.

        Args:
            task: See `Task`.
            shared: What every item needs. It is handed out once and not changed; arrays are mapped, not copied, and
                read-only in other processes.
            items: Consumed as the work proceeds, a few before their turn.
            at_once: Most items worked on at the same time on one machine; by default as many as there are cores. Each
                gets an equal share of the machine's cores.
            processes: Whether the task is mostly Python code, so that threads of one process would wait for each other.
            gpus: GPUs that each item takes on a cluster; no effect if a machine or a cluster has none.

        Yields:
            Results, in the order of the items. What a task raises is raised when its turn comes; if the caller stops
            early, items not yet begun are skipped.
        """
        ...
