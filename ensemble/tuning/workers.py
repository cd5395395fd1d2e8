"""Worker processes on one study: each asks this process for leave, runs one trial, and reports back."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import optuna

from engine.errors import InputError
from engine.files import TEMPORARY
from ensemble.matrix import Matrix
from ensemble.tuning.problem import Problem
from ensemble.tuning.study import FINISHED, StudyFolder, fail_unfinished, open_study
from ensemble.tuning.trials import run_trial

MOST_DEATHS = 5
_SPAWN = multiprocessing.get_context("spawn")  # a forked OpenMP pool hangs


@dataclass(frozen=True)
class _Task:
    """What a worker needs; the matrix lies in a file that all workers map."""

    problem: Problem
    matrix: Path
    folder: StudyFolder
    seed: int
    threads: int


@dataclass
class _Team:
    """The workers at work.

    Attributes:
        task: What they do.
        busy: Number and process of the worker behind each connection that was given leave for a trial.
        idle: The same for those that wait for leave.
    """

    task: _Task
    busy: dict[Connection, tuple[int, BaseProcess]] = field(default_factory=dict)
    idle: dict[Connection, tuple[int, BaseProcess]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def hire(self) -> None:
        """Start a worker."""
        number = next(self.numbers)
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(
            target=_work, args=(self.task, number, theirs), name=f"uglyduck-tune-{number}", daemon=True
        )
        process.start()
        theirs.close()  # so that its death ends the connection
        self.idle[ours] = (number, process)

    def give_leave(self) -> None:
        """Let one idle worker run a trial."""
        connection, worker = self.idle.popitem()
        self.busy[connection] = worker
        with suppress(BrokenPipeError):  # it died while idle, which is noticed on receiving
            connection.send(None)

    def dismiss(self) -> None:
        """End every worker; idle ones end by themselves when their connection closes."""
        for connection, (_, process) in (self.idle | self.busy).items():
            connection.close()
            if connection in self.busy:
                process.terminate()
            process.join()


def search_side_by_side(
    problem: Problem,
    folder: StudyFolder,
    study: optuna.Study,
    *,
    trials: int,
    seed: int,
    workers: int,
    threads: int,
    progress: Callable[[], None],
) -> None:
    """Run trials in `workers` processes until `trials` are finished.

    The trial of a worker that dies counts as failed, its parameters are tried again, and another worker takes over.

    Raises:
        InputError: More than `MOST_DEATHS` workers died.
    """
    with _mapped(problem, folder) as path:
        bare = replace(problem, matrix=Matrix(problem.matrix.space, np.empty((0, 0), dtype=np.float32)))
        team = _Team(_Task(bare, path, folder, seed, max(1, threads // workers)))
        try:
            for _ in range(min(workers, trials - finished(study))):
                team.hire()
            _lead(team, study, trials, progress)
        finally:
            team.dismiss()


def finished(study: optuna.Study) -> int:
    """Trials that need not be run again."""
    return sum(trial.state in FINISHED for trial in study.get_trials(deepcopy=False))


def _lead(team: _Team, study: optuna.Study, trials: int, progress: Callable[[], None]) -> None:
    deaths = 0
    while (left := trials - finished(study)) > 0:
        while team.idle and len(team.busy) < left:
            team.give_leave()
        ready = wait(list(team.busy))
        for connection in [each for each in team.busy if each in ready]:
            number, process = team.busy.pop(connection)
            if _hears(connection):
                team.idle[connection] = (number, process)
            else:
                process.join()
                fail_unfinished(study, worker=number)
                deaths += 1
                if deaths > MOST_DEATHS:
                    raise _too_many_deaths(process)
                team.hire()
            progress()
    for connection in list(team.busy):  # their trials are finished, their reports on the way
        _hears(connection)
        team.idle[connection] = team.busy.pop(connection)
    fail_unfinished(study)  # of workers that died before they could say whose trial it was


def _hears(connection: Connection) -> bool:
    """Wait for word from the other side; False where it is gone."""
    try:
        connection.recv()
    except (EOFError, ConnectionResetError):
        return False
    return True


def _too_many_deaths(process: BaseProcess) -> InputError:
    return InputError(
        f"{MOST_DEATHS + 1} worker processes died, the last with exit code {process.exitcode}",
        where="--workers",
        remedy="use fewer workers if memory ran out; finished trials are kept",
    )


def _work(task: _Task, number: int, leave: Connection) -> None:
    """One worker: a trial for each leave, until the connection closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the leading process, which ends the others
    values = np.asarray(np.load(task.matrix, mmap_mode="r"))
    problem = replace(task.problem, matrix=Matrix(task.problem.matrix.space, values))
    study = open_study(task.folder)
    while _hears(leave):
        run_trial(study, problem, task.folder, seed=task.seed, worker=number, threads=task.threads)
        with suppress(BrokenPipeError):  # nobody leads any more
            leave.send(None)


@contextmanager
def _mapped(problem: Problem, folder: StudyFolder) -> Iterator[Path]:
    """The matrix in a file that lasts as long as the block; a killed process leaves it to be swept."""
    path = folder.root / f"{TEMPORARY}matrix.npy"
    np.save(path, problem.matrix.values)
    try:
        yield path
    finally:
        path.unlink()
