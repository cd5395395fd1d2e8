"""The search: trials in one process or in several, all on one journal."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
from optuna.trial import TrialState

from engine.errors import InputError
from engine.executors import LocalExecutor
from engine.results import ResultStore
from ensemble.jobs import JobRunner
from ensemble.tuning.problem import Problem
from ensemble.tuning.study import BY_FOLD, Tally, open_study, resume_study

MOST_DEATHS = 5
Progress = Callable[[Tally], None]


@dataclass(frozen=True)
class Effort:
    """How much to search.

    Attributes:
        trials: Finished (complete or pruned) trials wanted in total, including those of earlier searches.
        seed: Seed of the sampler.
        workers: Processes at the same time; at most one for each core.
    """

    trials: int
    seed: int = 0
    workers: int = 1


def search(
    problem: Problem, folder: Path, runner: JobRunner, effort: Effort, *, progress: Progress = lambda _: None
) -> Tally:
    """Run trials until the study has as many finished ones as wanted.

    With one worker the same seed gives the same trials, even if the search is killed and resumed.

    Args:
        problem: What is tuned on what.
        folder: Folder of the study; the caller keeps other processes out of it.
        runner: Holds the result store; its cores are those of all workers together.
        effort: How much to search.
        progress: Called after each trial.

    Raises:
        InputError: The folder holds trials of another problem, or workers keep dying.
    """
    study, deaths = resume_study(folder, problem, seed=effort.seed), 0
    work, executor = _Work(problem, folder, runner.results, effort.seed), LocalExecutor(runner.executor.cores)
    while (missing := effort.trials - Tally.of(study).finished) > 0:
        done = executor.map(_run_trial, work, range(missing), at_once=effort.workers, processes=True)
        try:
            for _ in done:
                progress(Tally.of(study))
        except BrokenExecutor as error:  # one died, which ended the other workers
            deaths += 1
            if deaths > MOST_DEATHS:
                raise _too_many_deaths() from error
            study = resume_study(folder, problem, seed=effort.seed)
    return Tally.of(study)


@dataclass(frozen=True)
class _Work:
    """What a worker needs."""

    problem: Problem
    folder: Path
    results: ResultStore
    seed: int


def _run_trial(work: _Work, _turn: int, cores: int) -> None:
    runner = JobRunner(work.results, LocalExecutor(cores))
    study = open_study(work.folder, work.problem, seed=work.seed)
    trial = study.ask()  # `study.optimize` hides an error behind another if the journal cannot be written
    try:
        value = _score(trial, work.problem, runner)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, value)


def _score(trial: optuna.Trial, problem: Problem, runner: JobRunner) -> float:
    """Mean pAUC over the folds; stops early if the pruner says so."""
    learner = problem.configured({each.name: each.suggest(trial) for each in problem.space})
    found: list[float] = []
    for step, fold in enumerate(problem.folds):
        found.append(problem.pauc(problem.score(learner, [fold], runner), fold))
        trial.report(float(np.mean(found)), step)
        if step + 1 < len(problem.folds) and trial.should_prune():
            raise optuna.TrialPruned
    trial.set_user_attr(BY_FOLD, found)
    return float(np.mean(found))


def _too_many_deaths() -> InputError:
    return InputError(
        f"worker processes died {MOST_DEATHS + 1} times",
        where="--workers",
        remedy="use fewer workers if memory ran out; finished trials are kept",
    )
