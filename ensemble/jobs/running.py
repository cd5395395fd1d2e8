"""Runs jobs: what the result store holds is read, the rest is made, some jobs at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.console import log, progress
from engine.executors import Executor
from engine.results import ResultStore
from ensemble.jobs.fitting import Batch, Fitted, batches, do_batch
from ensemble.jobs.job import Job
from ensemble.jobs.table import Table

Scores = npt.NDArray[np.float64]
#: Asked for each job with its name: None where its model is not wanted (again); else what takes the model's bytes.
Keep = Callable[[int, str], Callable[[bytes], None] | None]
#: Batches at a time at most: each holds its own part of the table.
MOST = 4


@dataclass(frozen=True)
class Outcome:
    """What a job gave.

    Attributes:
        name: The job's name.
        scores: Scores of its score rows, shape (rows,).
        gain: Share of each of its columns in the model, shape (columns,).
    """

    name: str
    scores: Scores
    gain: Scores


@dataclass(frozen=True)
class Runner:
    """Does jobs: reads what is there, makes the rest, and stores it, each result once it is made.

    Attributes:
        results: Where results lie, whoever asked for them.
        executor: What spreads the jobs.
    """

    results: ResultStore
    executor: Executor

    def run(
        self, jobs: Sequence[Job], table: Table, *, title: str | None = None, keep: Keep = lambda _place, _name: None
    ) -> list[Outcome]:
        """Do jobs.

        Args:
            jobs: What to do; jobs with the same name are done once.
            table: What they read.
            title: What to call the work while it goes on; None says nothing of it.
            keep: For jobs whose models are wanted as well; see `Keep`.

        Returns:
            An outcome for each job, in their order. It does not depend on the executor or on what was there.
        """
        names = [job.name(table) for job in jobs]
        takers = [keep(place, name) for place, name in enumerate(names)]
        stored = {name: self.results.get(name) for name in dict.fromkeys(names)}
        waiting = {name: place for place, name in reversed(list(enumerate(names))) if stored[name] is None}
        waiting |= {names[place]: place for place, taker in enumerate(takers) if taker is not None}
        if title is not None and len(waiting) < len(jobs):
            log.info("%-8s  %d of %d there already", title, len(jobs) - len(waiting), len(jobs))
        work = {place: (jobs[place], takers[place] is not None) for place in sorted(waiting.values())}
        for place, fitted in _made(work, table, self.executor, title):
            arrays = {"scores": fitted.scores, "gain": fitted.gain}
            self.results.put(names[place], arrays)
            stored[names[place]] = arrays
            for name, taker in zip(names, takers, strict=True):
                if name == names[place] and taker is not None and fitted.model is not None:
                    taker(fitted.model)
        return [Outcome(name, **_known(stored[name])) for name in names]


def _known(arrays: dict[str, npt.NDArray[np.float64]] | None) -> dict[str, Scores]:
    return dict(arrays or {})


def _made(
    work: Mapping[int, tuple[Job, bool]], table: Table, executor: Executor, title: str | None
) -> Iterator[tuple[int, Fitted]]:
    """Each job with what it gave, batch after batch.

    Args:
        work: By place the job, and whether its model is wanted.
        table: What the jobs read.
        executor: What spreads them.
        title: See `Runner.run`.
    """
    at_once, places, jobs = min(MOST, executor.cores), list(work), [job for job, _ in work.values()]
    grouped = batches(jobs, [job.fit_name(table) for job in jobs], at_once=at_once)
    items = [
        Batch(tuple(jobs[each] for each in some), tuple(work[places[each]][1] for each in some)) for some in grouped
    ]
    with progress(title, len(jobs)) if title is not None else nullcontext(lambda: None) as step:
        begun = time.perf_counter()
        made = executor.map(do_batch, table, items, at_once=min(at_once, max(len(items), 1)))
        for some, batch, found in zip(grouped, items, made, strict=True):
            more = f" and {len(some) - 1} more sets of features" if len(some) > 1 else ""
            if title is not None:
                log.info("%-8s  %s%s, after %.1f s", title, batch.jobs[0].label, more, time.perf_counter() - begun)
            for each, fitted in zip(some, found, strict=True):
                yield places[each], fitted
                step()
