"""Spreading work: one call, `Executor.map`, on this machine's threads or processes, or on a Ray cluster."""

from engine.executors.choice import open_executor
from engine.executors.local import LocalExecutor
from engine.executors.protocol import Executor, Task
from engine.executors.ray import RayExecutor

__all__ = ["Executor", "LocalExecutor", "RayExecutor", "Task", "open_executor"]
