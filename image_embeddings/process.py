"""The image stage in a process of its own: torch and the boosting libraries never share one.

JSON requests go in on stdin, one per line; JSON lines come out on stdout, each an object with one key: `log` and
`progress` as the work goes on, and at the end of each request `answer`, `input_error` or `defect`. torch takes seconds
to load, so the process is kept for the next request; it ends with the process that asks, or when no request comes for a
while.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

from engine.console import log
from engine.errors import InputError
from engine.progress import report
from image_embeddings.requests.models import Request

KEPT_SECONDS = 60
"""How long the process waits for a request before it ends."""

# Waiting OpenMP threads would otherwise keep a core busy.
_ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE"}
# It is no longer asked this many seconds before its end: the request could come too late.
_MARGIN = 15


def call(request: Request) -> dict[str, Any]:
    """Have another process answer a request; its log lines and progress are passed on as they come.

    Returns:
        What `image_embeddings.requests.answer` returns there.

    Raises:
        InputError: As raised there, with all its parts; or the process was killed.
        RuntimeError: A defect there, with its traceback.
    """
    process = _at_hand()
    try:
        last = process.ask(request)
    except BaseException:
        process.kill()
        raise
    match last:
        case {"answer": answer}:
            _idle.append(process)
            return dict(answer)
        case {"input_error": {"what": what, "where": where, "remedy": remedy}}:
            _idle.append(process)
            raise InputError(what, where=where, remedy=remedy)
    status = process.end()
    if last is not None:
        text = f"a defect in the image process:\n{last['defect']}"
        raise RuntimeError(text)
    if status < 0:
        raise InputError(
            f"the image process was killed (signal {-status})",
            where="image models",
            remedy="free some memory if that ran out, and start again: it resumes where it stopped",
        )
    message = f"the image process ended with status {status} and no answer"
    raise RuntimeError(message)


class _ImageProcess:
    """A process that answers requests, one after the other."""

    def __init__(self) -> None:
        self._surroundings, self._last_used = _surroundings(), time.monotonic()
        alone = "-P"  # nothing in the working folder takes a package's place
        self._process = subprocess.Popen(
            [sys.executable, alone, "-m", "image_embeddings"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=_ENVIRONMENT | os.environ,
        )

    @property
    def is_fit(self) -> bool:
        """Whether it can be asked again: it is alive, and would be started in the same way now."""
        waited = time.monotonic() - self._last_used
        fresh = waited < KEPT_SECONDS - _MARGIN and self._surroundings == _surroundings()
        return fresh and self._process.poll() is None

    def ask(self, request: Request) -> dict[str, Any] | None:
        """The last message about a request; None if the process ended without one."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None  # noqa: S101, PT018 - both are pipes
        with suppress(BrokenPipeError):  # it may have ended
            stdin.write(request.model_dump_json() + "\n")
            stdin.flush()
        for line in stdout:
            match message := json.loads(line):
                case {"log": {"level": level, "text": text}}:
                    log.log(level, "%s", text)
                case {"progress": [title, done, total]}:
                    report(title, done, total)
                case _:
                    self._last_used = time.monotonic()
                    return dict(message)
        return None

    def end(self) -> int:
        """Let it end, which it does at once if it has nothing to do; returns its exit status."""
        self._process.communicate()
        return self._process.returncode

    def kill(self) -> None:
        """End it now, whatever it is doing."""
        self._process.kill()
        self._process.communicate()


def _surroundings() -> tuple[str, dict[str, str]]:
    """What a process is started with: a different folder or different variables need another process."""
    return os.path.realpath("."), dict(os.environ)


_idle: list[_ImageProcess] = []
os.register_at_fork(after_in_child=_idle.clear)  # they answer only the process that started them


def _at_hand() -> _ImageProcess:
    """An idle process: a kept one, or a new one."""
    while _idle:
        if (process := _idle.pop()).is_fit:
            return process
        process.end()
    return _ImageProcess()


@atexit.register
def _end_all() -> None:
    while _idle:
        _idle.pop().end()
