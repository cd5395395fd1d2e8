"""The executor that a configuration names."""

from __future__ import annotations

from typing import Literal

from engine.executors.local import LocalExecutor
from engine.executors.protocol import Executor
from engine.executors.ray import RayExecutor


def open_executor(engine: Literal["local", "ray"], *, address: str | None = None, cores: int) -> Executor:
    """An executor to be used in a `with` statement.

    Args:
        engine: `local` for this machine alone, `ray` for a Ray cluster.
        address: Ray's `host:port`, or `auto`; None starts Ray on this machine.
        cores: CPU cores to use on this machine. A cluster that is joined is used whole.

    Raises:
        InputError: Ray is not installed, or no cluster answers.
    """
    if engine == "local":
        return LocalExecutor(cores)
    return RayExecutor(address, None if address else cores)
