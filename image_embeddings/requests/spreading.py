"""The executor that a request asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.executors import Executor, open_executor
from image_embeddings.requests.models import Request


@contextmanager
def executor_of(request: Request) -> Iterator[Executor]:
    """This machine's cores, or a Ray cluster, until the block ends.

    Raises:
        InputError: Ray is not installed, or no cluster answers.
    """
    with open_executor(request.engine, address=request.address, cores=request.cores) as executor:
        yield executor
