"""The executor that a request asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import InputError
from engine.executors import Executor, LocalExecutor
from image_embeddings.requests.models import Request


@contextmanager
def executor_of(request: Request) -> Iterator[Executor]:
    """This machine's cores, or a Ray cluster, until the block ends.

    Raises:
        InputError: Ray is not there.
    """
    if request.engine != "local":
        raise InputError("no Ray here", where="--engine", remedy="use --engine local")
    yield LocalExecutor(request.cores)
