"""The executor that a request asks for."""

from __future__ import annotations

from engine.errors import InputError
from engine.executors import Executor, LocalExecutor
from image_embeddings.requests.models import Request


def executor_of(request: Request) -> Executor:
    """This machine's cores, or a Ray cluster.

    Raises:
        InputError: Ray is not there.
    """
    if request.engine == "local":
        return LocalExecutor(request.cores)
    raise InputError("no Ray here", where="--engine", remedy="use --engine local")
