"""What the command line says while it works: a progress bar on a terminal, plain log lines elsewhere."""

from __future__ import annotations

import logging
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from engine.errors import InputError, plain

log = logging.getLogger("uglyduck")
errors = Console(stderr=True)
EVERY = 30.0
"""Seconds between two log lines on how far work is, where there is no terminal."""


class _PlainLines(logging.Handler):
    """Log lines on whatever stderr is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        errors.file.write(self.format(record) + "\n")


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
    if errors.is_terminal:
        log.addHandler(
            RichHandler(
                console=errors, show_path=False, show_level=False, markup=False, log_time_format="[%Y-%m-%d %H:%M:%S]"
            )
        )
    else:
        handler = _PlainLines()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        log.addHandler(handler)
    log.addFilter(_Printable())
    log.setLevel(logging.INFO)


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Append the command, its log lines and what ended it to a file, too."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
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
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, disable=not errors.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield (lambda: bar.advance(task)) if errors.is_terminal else _Lines(title, total)


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
