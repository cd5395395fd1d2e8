"""Answers one request; see `image_embeddings.process`."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import traceback
from typing import IO, Any

from engine.console import log
from engine.errors import InputError
from engine.outputs import as_input_error
from image_embeddings.progress import listening
from image_embeddings.requests import answer, read_request


class _LogLines(logging.Handler):
    """Log records as messages."""

    def __init__(self, messages: IO[str]) -> None:
        super().__init__()
        self.messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        """Send one."""
        _send(self.messages, {"log": {"level": record.levelno, "text": record.getMessage()}})


def _send(messages: IO[str], message: dict[str, Any]) -> None:
    messages.write(json.dumps(message, ensure_ascii=False, allow_nan=False) + "\n")
    messages.flush()


def main() -> int:
    """Read the request from stdin and send messages to stdout; exit status 0, 2 for an input error, 1 for a defect."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is answered by the process that asked
    # What a library prints must not come between the messages.
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    log.addHandler(_LogLines(messages))
    log.setLevel(logging.INFO)
    try:
        with listening(lambda *progress: _send(messages, {"progress": progress})):
            found = answer(read_request(sys.stdin.read()))
        _send(messages, {"answer": found})
    except Exception as error:  # noqa: BLE001 - the other side raises it
        refused = error if isinstance(error, InputError) else as_input_error(error)
        if refused is None:
            _send(messages, {"defect": traceback.format_exc()})
            return 1
        _send(messages, {"input_error": {"what": refused.what, "where": refused.where, "remedy": refused.remedy}})
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
