"""Answers requests; see `image_embeddings.process`."""

from __future__ import annotations

import gc
import json
import logging
import os
import select
import signal
import sys
import traceback
from collections.abc import Iterator
from typing import IO, Any

from engine.console import log
from engine.errors import InputError
from engine.outputs import as_input_error
from engine.progress import listening
from image_embeddings.process import KEPT_SECONDS
from image_embeddings.requests import answer, read_request


class _LogLines(logging.Handler):
    """Log records as messages."""

    def __init__(self, messages: IO[str]) -> None:
        super().__init__()
        self.messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record."""
        _send(self.messages, {"log": {"level": record.levelno, "text": record.getMessage()}})


def _send(messages: IO[str], message: dict[str, Any]) -> None:
    messages.write(json.dumps(message, ensure_ascii=False, allow_nan=False) + "\n")
    messages.flush()


def main() -> int:
    """Answer one request per line of stdin; exit status 0, or 1 for a defect, which ends it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is handled by the process that asked
    # Whatever a library prints must not get between the messages.
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    log.addHandler(_LogLines(messages))
    log.setLevel(logging.INFO)
    with listening(lambda *progress: _send(messages, {"progress": progress})):
        for request in _requests():
            if (last := _answered(request)).keys() == {"defect"}:
                _send(messages, last)
                return 1
            gc.collect()  # free what a network held before the next request
            _send(messages, last)
    return 0


def _requests() -> Iterator[str]:
    """Requests, until there are no more or none comes for a while."""
    while select.select([sys.stdin], [], [], KEPT_SECONDS)[0] and (line := sys.stdin.readline()):
        yield line


def _answered(request: str) -> dict[str, Any]:
    """The last message about a request."""
    try:
        return {"answer": answer(read_request(request))}
    except Exception as error:  # noqa: BLE001 - the other side raises it
        refused = error if isinstance(error, InputError) else as_input_error(error)
        if refused is None:
            return {"defect": traceback.format_exc()}
        return {"input_error": {"what": refused.what, "where": refused.where, "remedy": refused.remedy}}


if __name__ == "__main__":
    sys.exit(main())
