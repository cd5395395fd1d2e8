"""Spreading work: one call, `Executor.map`, on this machine's threads or processes, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Literal

from engine.executors.local import LocalExecutor
from engine.executors.protocol import Executor, Task
from engine.executors.ray import RayExecutor

__all__ = ["Executor", "LocalExecutor", "RayExecutor", "Task", "open_executor"]


@contextmanager
def open_executor(engine: Literal["local", "ray"], *, address: str | None = None, cores: int) -> Iterator[Executor]:
    """The executor that a configuration names, until the block ends.

    Args:
        engine: `local` for this machine alone, `ray` for a Ray cluster.
        address: Ray's `host:port`, or `auto`; None starts Ray on this machine.
        cores: CPU cores to use on this machine; a cluster that is joined is used in full.

    Raises:
        InputError: Ray is not installed, or no cluster answers.
    """
    if engine == "local":
        yield LocalExecutor(cores)
        return
    with closing(RayExecutor(address, None if address else cores)) as executor:
        yield executor
