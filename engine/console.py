"""What the command line says while it works: a progress bar on a terminal, plain log lines elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

log = logging.getLogger("uglyduck")
errors = Console(stderr=True)


class _PlainLines(logging.Handler):
    """Log lines on whatever stderr is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        errors.file.write(self.format(record) + "\n")


def start_logging() -> None:
    """Send log lines to stderr, so that stdout holds answers only."""
    if log.handlers:
        return
    if errors.is_terminal:
        log.addHandler(RichHandler(console=errors, show_path=False, show_level=False, markup=False))
    else:
        handler = _PlainLines()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        log.addHandler(handler)
    log.setLevel(logging.INFO)


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar with the count, the time gone and the time left; off a terminal it stays silent (log lines speak).

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
        yield lambda: bar.advance(task)
