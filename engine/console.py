"""What the command line shows while it works: a progress bar on a terminal, plain log lines elsewhere."""

from __future__ import annotations

import logging
import re
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from engine.errors import InputError, plain
from engine.progress import listening

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

log = logging.getLogger("uglyduck")
EVERY = 30.0
"""Seconds between two progress log lines when there is no terminal."""


@cache
def errors() -> Console:
    """The console on stderr. rich is imported on first use only: scoring on another machine does without it."""
    from rich.console import Console  # noqa: PLC0415

    return Console(stderr=True)


class _PlainLines(logging.Handler):
    """Writes log lines to whatever stderr is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        sys.stderr.write(self.format(record) + "\n")


class _Printable(logging.Filter):
    """Escapes unprintable characters, so that nothing in a table can move the cursor."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line through, made printable."""
        record.msg, record.args = "\n".join(map(plain, record.getMessage().split("\n"))), ()
        return True


def start_logging() -> None:
    """Send log lines to stderr, so that stdout holds only answers."""
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
    """Cuts folders from absolute paths: a log may be shown to others, and folders name people and projects."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, or the lines of a traceback."""
        return re.sub(r"(?<![\w.:/])/(?:[^\s/:'\",]+/)+", "…/", super().format(record))


class _LogFile(logging.FileHandler):
    """A log file that skips lines it cannot write, for example when the disk is full."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Stay silent: whatever fills the disk reports it."""


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Also append the command, its log lines and any error that ended it to a file, without the folders of paths."""
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
    """Send one record to this handler only."""
    told = None if error is None else (type(error), error, error.__traceback__)
    handler.emit(logging.LogRecord(log.name, level, __file__, 0, text, (), told))


@contextmanager
def showing_progress() -> Iterator[None]:
    """Show the progress of all work done in the block, each piece from its first report until it is done.

    On a terminal, a bar with the rate, time elapsed and time left; elsewhere, a log line every half minute.
    """
    shown = _Bars() if sys.stderr.isatty() else _Lines()
    with closing(shown), listening(shown):
        yield


@dataclass
class _Piece:
    """A piece of work: how far it was at the first report, at the last one, and at the last log line."""

    begun: float
    before: int
    done: int
    logged: float

    def rate(self, now: float) -> float:
        """Steps a second since the first report."""
        return (self.done - self.before) / max(now - self.begun, 1e-9)


class _Lines:
    """Log lines. The clock restarts when a title comes back with less done, as for the next fold or chunk."""

    def __init__(self) -> None:
        self.pieces: dict[str, _Piece] = {}
        self.one_at_a_time = Lock()  # threads report, too

    def close(self) -> None:
        """Nothing is left to take away."""

    def __call__(self, title: str, done: int, total: int) -> None:
        with self.one_at_a_time:
            now = time.monotonic()
            piece = self.pieces.get(title)
            if piece is None or done < piece.done:
                piece = self.pieces[title] = _Piece(now, done, done, now)
            piece.done = done
            self.show(title, piece, total, now)
            if done >= total:
                del self.pieces[title]
                if now - piece.begun >= EVERY:
                    log.info("%s  all %s, %s s", title, f"{total:,}", f"{now - piece.begun:,.0f}")

    def show(self, title: str, piece: _Piece, total: int, now: float) -> None:
        """Log the progress if the last line is old enough and the work is not finished."""
        rate = piece.rate(now)
        if now - piece.logged >= EVERY and piece.done < total and rate > 0:
            piece.logged = now
            so_far, left = f"{piece.done:,} of {total:,}", f"{(total - piece.done) / rate:,.0f} s left"
            log.info("%s  %s", title, ", ".join(filter(None, (so_far, _per_second(rate), left))))


class _Bars(_Lines):
    """Bars on a terminal, removed once there is nothing to show: answers are printed below what stays."""

    def __init__(self) -> None:
        super().__init__()
        self.bar: Progress | None = None
        self.tasks: dict[str, TaskID] = {}
        self.ended = False

    def close(self) -> None:
        """Take the bars off the terminal for good."""
        with self.one_at_a_time:
            self.stop()
            self.ended = True  # a thread that is still at work begins no bar

    def stop(self) -> None:
        """Take the bars off the terminal."""
        if self.bar is not None:
            self.bar.stop()
            self.bar, self.tasks = None, {}

    def show(self, title: str, piece: _Piece, total: int, now: float) -> None:
        """Move the bar."""
        if self.ended:
            return
        self.bar = self.bar or _begin_bars()
        if title not in self.tasks:
            self.tasks[title] = self.bar.add_task(title, total=total, rate="")
        self.bar.update(self.tasks[title], completed=piece.done, total=total, rate=_per_second(piece.rate(now)))
        if piece.done >= total:
            self.bar.remove_task(self.tasks.pop(title))
            if not self.tasks:
                self.stop()


def _begin_bars() -> Progress:
    from rich import progress  # noqa: PLC0415

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
    )
    bar = progress.Progress(*columns, console=errors(), transient=True, redirect_stdout=False)
    bar.start()
    return bar


def _per_second(rate: float) -> str:
    """A rate of one or more per second, in words; empty for slower work, where the time left says enough."""
    return f"{rate:,.0f} a second" if rate >= 1 else ""
