"""The search: trials one after the other in this process, or side by side in worker processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import optuna

from ensemble.tuning.problem import Problem
from ensemble.tuning.study import StudyFolder, count_states, fail_unfinished, mend, open_study
from ensemble.tuning.trials import run_trial, score_baseline
from ensemble.tuning.workers import search_side_by_side


@dataclass(frozen=True)
class Tally:
    """How far a study is.

    Attributes:
        complete: Trials scored on every fold.
        pruned: Trials stopped early.
        failed: Trials whose process died; their parameters were tried again.
        best: Largest mean pAUC over folds so far; None before the first complete trial.
    """

    complete: int
    pruned: int
    failed: int
    best: float | None

    @classmethod
    def of(cls, study: optuna.Study) -> Tally:
        """Count a study's trials."""
        counted = count_states(study)
        return cls(**counted, best=study.best_value if counted["complete"] else None)

    @property
    def finished(self) -> int:
        """Trials that need not be run again."""
        return self.complete + self.pruned


Progress = Callable[[Tally], None]


def search(
    problem: Problem,
    folder: StudyFolder,
    *,
    trials: int,
    seed: int,
    workers: int = 1,
    threads: int = 1,
    progress: Progress = lambda _: None,
) -> Tally:
    """Run trials until the study has `trials` finished ones, those of earlier calls included.

    With one worker the same seed gives the same trials, also when the search is killed and resumed.

    Args:
        problem: What is tuned on what.
        folder: Where the study lies; the caller keeps other processes away from it.
        trials: Finished (complete or pruned) trials wanted in total.
        seed: Of the sampler.
        workers: Processes; each gets its share of `threads`.
        threads: CPU threads of all workers together.
        progress: Called after each trial.

    Raises:
        InputError: The folder holds trials of another problem, or workers keep dying.
    """
    folder.claim(problem)
    mend(folder)
    study = open_study(folder)
    fail_unfinished(study)
    if not folder.baseline.exists():
        score_baseline(problem, folder, threads)
    if Tally.of(study).finished < trials and workers > 1:
        search_side_by_side(
            problem,
            folder,
            study,
            trials=trials,
            seed=seed,
            workers=workers,
            threads=threads,
            progress=lambda: progress(Tally.of(study)),
        )
    while Tally.of(study).finished < trials:
        run_trial(study, problem, folder, seed=seed, worker=0, threads=threads)
        progress(Tally.of(study))
    return Tally.of(study)
