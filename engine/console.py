"""What the command line says while it works: a progress bar on a terminal, plain log lines elsewhere."""

from __future__ import annotations

import logging
import re
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, plain

if TYPE_CHECKING:
    from rich.console import Console

log = logging.getLogger("uglyduck")
EVERY = 30.0
"""Seconds between two log lines on how far work is, where there is no terminal."""


@cache
def errors() -> Console:
    """The console on stderr. rich is loaded where it is first used: scoring on another machine does without."""
    from rich.console import Console  # noqa: PLC0415

    return Console(stderr=True)


class _PlainLines(logging.Handler):
    """Log lines on whatever stderr is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        sys.stderr.write(self.format(record) + "\n")


class _Printable(logging.Filter):
    """Nothing that a table holds moves the cursor."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line through, printable."""
        record.msg, record.args = "\n".join(map(plain, record.getMessage().split("\n"))), ()
        return True


def start_logging() -> None:
    """Send log lines to stderr, so that stdout holds answers only."""
    if log.handlers:
        return
    if sys.stderr.isatty():
        from rich.logging import RichHandler  # noqa: PLC0415

        log.addHandler(
            RichHandler(
                console=errors(), show_path=False, show_level=False, markup=False, log_time_format="[%Y-%m-%d %H:%M:%S]"
            )
        )
    else:
        handler = _PlainLines()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        log.addHandler(handler)
    log.addFilter(_Printable())
    log.setLevel(logging.INFO)


class _WithoutFolders(logging.Formatter):
    """Cuts absolute paths: a log may be shown to others, and folders name people and projects."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, or the lines of a traceback."""
        return re.sub(r"(?<![\w.:/])/(?:[^\s/:'\",]+/)+", "…/", super().format(record))


class _LogFile(logging.FileHandler):
    """A log beside the work; a line that cannot be written, as where the disk is full, is left out."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Say nothing of it: whatever fills the disk says so itself."""


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Append the command, its log lines and what ended it to a file, too; of paths only their last parts."""
    handler = _LogFile(path, encoding="utf-8")
    handler.setFormatter(_WithoutFolders("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    try:
        _to(handler, logging.INFO, shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]))
        yield
    except InputError as error:
        _to(handler, logging.ERROR, str(error))
        raise
    except BaseException as error:
        _to(handler, logging.ERROR, "ended", error)
        raise
    finally:
        log.removeHandler(handler)
        handler.close()


def _to(handler: logging.Handler, level: int, text: str, error: BaseException | None = None) -> None:
    """One record for this handler alone."""
    told = None if error is None else (type(error), error, error.__traceback__)
    handler.emit(logging.LogRecord(log.name, level, __file__, 0, text, (), told))


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar with the count, the time gone and the time left; off a terminal a log line every half minute.

    Yields:
        What to call after each step.
    """
    if not sys.stderr.isatty():
        yield _Lines(title, total)
        return
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors(), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)


class _Lines:
    """Says now and then how far work is."""

    def __init__(self, title: str, total: int) -> None:
        self.title, self.total, self.done = title, total, 0
        self.begun = self.said = time.monotonic()

    def __call__(self) -> None:
        self.done += 1
        now = time.monotonic()
        if now - self.said >= EVERY and self.done < self.total:
            self.said = now
            left = (now - self.begun) / self.done * (self.total - self.done)
            log.info("%s  %s of %s, %.0f s left", self.title, f"{self.done:,}", f"{self.total:,}", left)
