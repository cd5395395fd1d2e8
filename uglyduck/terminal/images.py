"""What `uglyduck images` says while it works and when it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from cv_folds.formats import difference, with_interval
from cv_folds.hospital_share import in_words
from cv_folds.metrics import AUC, PAUC, SENSITIVITY883
from engine.console import EVERY, errors, log
from image_embeddings.progress import listening
from uglyduck.terminal.answers import console

_METRICS = (PAUC, AUC, SENSITIVITY883)


@contextmanager
def crop_progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each piece of work on a terminal, a log line every half minute elsewhere.

    Both say crops done, crops per second and the time left.

    Yields:
        What to call with a title, the crops done and the crops in all.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=errors(), disable=not errors().is_terminal) as bar:
        yield _Rates(bar)


@contextmanager
def showing_progress() -> Iterator[None]:
    """Show how far image work is, wherever in the block it is done."""
    with crop_progress() as show, listening(show):
        yield


class _Rates:
    """Starts the clock anew where a title comes back with fewer crops: the next fold, the next chunk."""

    def __init__(self, bar: Progress) -> None:
        self.bar = bar
        self.tasks: dict[str, TaskID] = {}
        self.started: dict[str, tuple[float, int]] = {}
        self.last: dict[str, int] = {}
        self.logged = time.monotonic()

    def __call__(self, title: str, done: int, total: int) -> None:
        now = time.monotonic()
        if title not in self.tasks:
            self.tasks[title] = self.bar.add_task(title, total=total, rate="")
        if done <= self.last.get(title, done):
            self.started[title] = (now, done)
        self.last[title] = done
        begun, before = self.started[title]
        rate = (done - before) / max(now - begun, 1e-9)
        self.bar.update(self.tasks[title], completed=done, total=total, rate=f"{rate:,.0f} images/s")
        if not self.bar.disable or (now - self.logged < EVERY and done < total):
            return
        self.logged = now
        left = f", {(total - done) / rate:,.0f} s left" if 0 < done < total and rate > 0 else ""
        log.info("%s  %s of %s crops, %s images/s%s", title, f"{done:,}", f"{total:,}", f"{rate:,.0f}", left)


def show_figures(result: dict[str, Any]) -> None:
    """Print the figures of `image_embeddings.measuring.measure` as a table on stdout."""
    caveat = "\nno patient is known: figures are flattered" if result.get("ungrouped") else ""
    table = Table(title=f"Out of fold, {result['lesions']:,} crops, {result['malignant']:,} malignant{caveat}")
    for heading in ("model", "", *(metric.label for metric in _METRICS)):
        table.add_column(heading)
    keys = [metric.name for metric in _METRICS]
    for name, views in result["scores"].items():
        for view, metrics in views.items():
            table.add_row(name, view, *(with_interval(metrics[key]) for key in keys))
    for name, metrics in result["differences"].items():
        cells = (difference(metrics[key]) for key in keys)
        table.add_row(name, f"minus {next(iter(result['scores']))}", *cells)
    console(160).print(table)
    if "classes" in result:
        classes = result["classes"]
        typer.echo(
            f"balanced multi-class accuracy {classes['balanced_accuracy']:.3f}, accuracy {classes['accuracy']:.3f}"
        )
    if result.get("hospital"):
        typer.echo(f"hospital: {in_words(result['hospital'])}")
    if result["left_out"]:
        typer.echo(f"{result['left_out']} crops without a score are left out")
