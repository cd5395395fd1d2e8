"""Runs `uglyduck images ...` in a process of its own: torch and the boosting libraries never share one."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

from engine.console import errors
from engine.errors import InputError

_KEPT_LINES = 20
_PREFIX = "uglyduck: "


def call_images(arguments: Sequence[str | Path]) -> str:
    """Run `uglyduck images` with these arguments; what it logs is passed on line by line.

    Args:
        arguments: As on the command line, the subcommand first.

    Returns:
        Its stdout.

    Raises:
        InputError: It ended with status 2; the error is the one line it said.
        RuntimeError: It ended with another status than 0, or was killed.
    """
    call = [sys.executable, "-m", "uglyduck", "images", *map(str, arguments)]
    last: deque[str] = deque(maxlen=_KEPT_LINES)
    # The answer goes to a file: a pipe could fill up while stderr is read to its end.
    with TemporaryFile("w+", encoding="utf-8") as stdout:
        with subprocess.Popen(call, stdout=stdout, stderr=subprocess.PIPE, text=True) as process:
            for line in process.stderr or ():
                last.append(line.rstrip("\n"))
                if not line.startswith(_PREFIX):
                    errors.file.write(line)
        stdout.seek(0)
        answer = stdout.read()
    if process.returncode == 2:
        raise _as_input_error(last)
    if process.returncode != 0:
        tail = "\n".join(last)
        message = f"`uglyduck images {arguments[0]}` ended with status {process.returncode}:\n{tail}"
        raise RuntimeError(message)
    return answer


def _as_input_error(lines: Sequence[str]) -> InputError:
    """The error that the other process printed as `uglyduck: where: what. remedy.`."""
    said = [line.removeprefix(_PREFIX) for line in lines if line.startswith(_PREFIX)]
    text = said[-1] if said else " ".join(lines)
    what, _, remedy = text.removesuffix(".").rpartition(". ")
    return InputError(what or text, remedy=remedy or "see the lines above")
