"""The image stage in a process of its own: torch and the boosting libraries never share one.

One JSON request goes in on stdin; JSON lines come out on stdout, each an object with one key: `log` and `progress` as
the work goes on, and at its end `answer`, `input_error` or `defect`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from typing import IO, Any

from engine.console import log
from engine.errors import InputError
from image_embeddings.progress import report
from image_embeddings.requests.models import Request

# Threads of OpenMP that wait would otherwise keep a core busy.
_ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE"}


def call(request: Request) -> dict[str, Any]:
    """Let another process answer a request; its log lines and its progress are passed on as they come.

    Returns:
        What `image_embeddings.requests.answer` returns there.

    Raises:
        InputError: As raised there, in all its parts; or the process was killed.
        RuntimeError: A defect there, with its traceback.
    """
    answer: dict[str, Any] | None = None
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "image_embeddings"],  # -P: nothing in the working folder takes a package's place
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=_ENVIRONMENT | os.environ,
    ) as process:
        try:
            _send(process.stdin, request)
            for line in process.stdout or ():
                said = _take(json.loads(line))
                answer = answer if said is None else said  # an answer may be empty
        except BaseException:
            process.kill()
            raise
    if answer is None and process.returncode < 0:
        raise InputError(
            f"the image process was killed (signal {-process.returncode})",
            where="image models",
            remedy="free some memory if that ran out, and start again: it goes on where it stood",
        )
    if answer is None:
        message = f"the image process ended with status {process.returncode} and no answer"
        raise RuntimeError(message)
    return answer


def _send(stdin: IO[str] | None, request: Request) -> None:
    # It may end before it has read everything.
    with suppress(BrokenPipeError):
        if stdin is not None:
            with stdin:
                stdin.write(request.model_dump_json())


def _take(message: dict[str, Any]) -> dict[str, Any] | None:
    """Pass a log line or progress on, raise an error; the answer, if it is that."""
    match message:
        case {"log": {"level": level, "text": text}}:
            log.log(level, "%s", text)
        case {"progress": [title, done, total]}:
            report(title, done, total)
        case {"input_error": {"what": what, "where": where, "remedy": remedy}}:
            raise InputError(what, where=where, remedy=remedy)
        case {"defect": traceback}:
            text = f"a defect in the image process:\n{traceback}"
            raise RuntimeError(text)
        case {"answer": answer}:
            return dict(answer)
    return None
