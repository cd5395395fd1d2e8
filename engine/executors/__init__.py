"""Spreading work: one call, `Executor.map`, on this machine's threads or processes, or on a Ray cluster."""

from engine.executors.local import LocalExecutor
from engine.executors.protocol import Executor, Task

__all__ = ["Executor", "LocalExecutor", "Task"]
