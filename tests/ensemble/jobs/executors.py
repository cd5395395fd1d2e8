"""Executors of the tests: they remember what was done, may be killed, or work in other processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from engine.executors import Executor, LocalExecutor, Task
from ensemble.jobs import JobRunner


class KilledError(Exception):
    """What `Remembering` raises in place of a batch."""


@dataclass
class Remembering:
    """Does the jobs as `inner` does.

    Attributes:
        inner: Does the work.
        dies_after: Batches after which it is killed; None to live.
        done: Labels of the jobs done.
    """

    inner: Executor = field(default_factory=lambda: LocalExecutor(2))
    dies_after: int | None = None
    done: list[str] = field(default_factory=list)

    @property
    def cores(self) -> int:
        return self.inner.cores

    def map(self, task: Task[Any, Any, Any], shared: object, items: Iterable[Any], **how: Any) -> Iterator[Any]:  # noqa: ANN401
        batches = list(items)
        for number, result in enumerate(self.inner.map(task, shared, batches, **how)):
            if number == self.dies_after:
                raise KilledError
            self.done += [job.label for job in batches[number].jobs]
            yield result


@dataclass(frozen=True)
class InProcesses:
    """Whatever is asked for, done by two processes."""

    cores: int = 2

    def map(self, task: Task[Any, Any, Any], shared: object, items: Iterable[Any], **how: Any) -> Iterator[Any]:  # noqa: ANN401
        return LocalExecutor(2).map(task, shared, items, **{**how, "processes": True})


def made_by(runner: JobRunner) -> list[str]:
    """Labels of the jobs that a runner made, not found."""
    assert isinstance(runner.executor, Remembering)
    return runner.executor.done
