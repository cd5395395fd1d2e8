"""A command in a process of its own, and how it ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from types import TracebackType
from typing import Self

_HOOK = Path(__file__).parent / "hook"
_ROOT = Path(__file__).parents[2]
_LOG = re.compile(r"\d\d:\d\d:\d\d ")
#: A command that takes longer hangs.
MOST_SECONDS = 900.0


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        status: Exit status, negative for a signal.
        stderr: What it said there.
        seconds: How long it took.
    """

    status: int
    stderr: str
    seconds: float

    @property
    def said(self) -> list[str]:
        """What it said besides its log."""
        return [line for line in self.stderr.splitlines() if line.strip() and not _LOG.match(line)]

    @property
    def is_refusal(self) -> bool:
        """Whether it ended with one line that says what is wrong and how to go on."""
        return self.status == 2 and len(self.said) == 1 and self.said[0].startswith("uglyduck: ")


class Server:
    """Starts commands; see `tests.faults.server`.

    Args:
        networks: Whether torch is imported beforehand, too.
    """

    def __init__(self, *, networks: bool = False) -> None:
        self._scratch = tempfile.TemporaryDirectory()
        environment = {"PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.server", *["networks"] * networks],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()
        self._scratch.cleanup()

    def run(
        self,
        arguments: Sequence[str],
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        meanwhile: Callable[[int], None] = lambda _pid: None,
        orphans: bool = False,
        count: Path | None = None,
        last: int = -1,
    ) -> Ended:
        """Run `uglyduck` in a folder.

        Args:
            arguments: Of the command line.
            folder: Where it is said; `tmp` in it is for temporary files.
            environment: More variables.
            meanwhile: Called with the process id once it has begun.
            orphans: Whether what it started may outlive it.
            count: File that grows by a byte for each change that the command makes to a file.
            last: The change at which the command is killed.
        """
        asked = {
            "arguments": list(arguments),
            "folder": str(folder),
            "stdout": os.devnull,
            "stderr": str(err := Path(self._scratch.name) / "stderr.txt"),
            "environment": {"TMPDIR": str(folder / "tmp"), **_counting(count, folder, last), **(environment or {})},
        }
        process, start = self._process, time.monotonic()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(dumps(asked) + "\n")
        process.stdin.flush()
        pid = int(process.stdout.readline())
        watchdog = threading.Timer(MOST_SECONDS, lambda: kill(pid))
        watchdog.start()
        try:
            meanwhile(pid)
            status = int(process.stdout.readline())
        finally:
            watchdog.cancel()
        if not orphans:
            kill(pid)  # what its group has left, as where a machine goes down
        return Ended(status, err.read_text("utf-8", "replace"), time.monotonic() - start)


def _counting(count: Path | None, folder: Path, last: int) -> dict[str, str]:
    if count is None:
        return {}
    count.unlink(missing_ok=True)
    return {
        "DRILL_COUNTER": str(count),
        "DRILL_FOLDER": str(folder),
        "DRILL_LAST": str(last),
        "PYTHONPATH": f"{_HOOK}{os.pathsep}{_ROOT}",
    }


def kill(pid: int) -> None:
    """SIGKILL to a command and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
