"""Runs jobs: results in the store are read, the others computed, several jobs at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.console import log
from engine.errors import InputError
from engine.executors import Executor
from engine.memory import give_back
from engine.progress import steps
from engine.results import ResultStore
from ensemble.jobs.fitting import Batch, Outcome, batches, do_batch
from ensemble.jobs.job import Job
from ensemble.jobs.table import Table

#: Takes the bytes of a model.
Taker = Callable[[bytes], None]
#: Called with the position and name of each job; returns what takes its model, or None if the model is not wanted.
Keep = Callable[[int, str], Taker | None]
#: Most batches at a time on a machine: each holds its own part of the table.
MOST = 4


@dataclass(frozen=True)
class JobRunner:
    """Runs jobs: reads stored results, computes the others, and stores each as soon as it is computed.

    Attributes:
        results: The store of results, whoever asked for them.
        executor: Spreads the jobs.
    """

    results: ResultStore
    executor: Executor

    def run(
        self, jobs: Sequence[Job], table: Table, *, title: str | None = None, keep: Keep = lambda _place, _name: None
    ) -> Iterator[Outcome]:
        """Run jobs.

        Args:
            jobs: The jobs; those with the same name are run once.
            table: What they read.
            title: Name of the work in log lines and progress; None shows nothing.
            keep: For jobs whose models are wanted as well; see `Keep`.

        Returns:
            An outcome for each job, in their order, read lazily since together they may be large. Outcomes do not
            depend on the executor or on what was stored before. All jobs are done when this returns.
        """
        give_back()  # the memory that making the table took
        names = [job.name(table) for job in jobs]
        self.results.note(names)
        takers: dict[str, list[Taker]] = {name: [] for name in names}
        for place, name in enumerate(names):
            if taker := keep(place, name):
                takers[name].append(taker)
        missing = {
            name: job for name, job in zip(names, jobs, strict=True) if takers[name] or self.results.get(name) is None
        }
        if title is not None and len(missing) < len(takers):
            log.info("%-8s  %d of %d there already", title, len(takers) - len(missing), len(takers))
        for name, fitted in self._made(missing, {name for name in missing if takers[name]}, table, title):
            self.results.put(name, {"scores": fitted.scores, "gain": fitted.gain})
            for taker in takers[name]:
                if fitted.model is not None:
                    taker(fitted.model)
        return map(self._outcome, names)

    def _outcome(self, name: str) -> Outcome:
        found = self.results.get(name)
        if found is None:
            path = str(self.results.path(name))
            raise InputError("a result is gone that was there a moment ago", where=path, remedy="start again")
        return Outcome(found["scores"], found["gain"])

    def _made(
        self, jobs: Mapping[str, Job], kept: set[str], table: Table, title: str | None
    ) -> Iterator[tuple[str, Outcome]]:
        """Each job's name and outcome, batch by batch; `kept` names the jobs whose models are wanted."""
        at_once = self.executor.cores
        # A kept model is trained alone: its file, unlike its scores, may depend on what it was prepared with.
        together = {name: name if name in kept else job.fit_name(table) for name, job in jobs.items()}
        grouped = batches(jobs, together, at_once=at_once)
        items = [Batch(tuple(jobs[name] for name in some), some[0] in kept) for some in grouped]
        step = None if title is None else steps(title, len(jobs))
        begun = time.perf_counter()
        made = self.executor.map(do_batch, table, items, at_once=min(MOST, max(len(items), 1)))
        for some, batch, found in zip(grouped, items, made, strict=True):
            more = f" and {len(some) - 1} more sets of features" if len(some) > 1 else ""
            if title is not None:
                log.info("%-8s  %s%s, after %.1f s", title, batch.jobs[0].label, more, time.perf_counter() - begun)
            for name, fitted in zip(some, found, strict=True):
                if title is not None and len(fitted.scores) > 1 and (fitted.scores == fitted.scores[0]).all():
                    log.warning("%-8s  %s found nothing to learn from: one score for all", title, jobs[name].label)
                yield name, fitted
                if step is not None:
                    step()
