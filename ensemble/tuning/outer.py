"""Fully nested tuning: for each outer fold a study of its own, which never sees that fold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ensemble.tuning.candidates import Candidate, Scores, best_of, list_candidates
from ensemble.tuning.problem import Problem
from ensemble.tuning.search import Progress, search
from ensemble.tuning.study import StudyFolder


def tune_by_fold(
    problem: Problem,
    folder: StudyFolder,
    *,
    trials: int,
    seed: int,
    workers: int,
    threads: int,
    progress: Callable[[int], Progress],
) -> tuple[list[Candidate], Scores]:
    """Tune on the other folds, fold by fold; they are patient folds already, so they serve as inner folds.

    Args:
        problem: What is tuned on what; at least 3 folds.
        folder: Each fold's study lies in a folder `outer{fold}` of it.
        trials: Finished trials wanted for each outer fold.
        seed: Of the sampler; the same for each outer fold.
        workers: Processes.
        threads: CPU threads of all workers together.
        progress: Given the outer fold, what to call after each trial.

    Returns:
        What was chosen for each fold, in their order, and the scores of models trained with it on all other folds,
        shape (lesions,).
    """
    winners, scores = [], np.full(problem.keys.height, np.nan)
    for fold in problem.folds:
        inner, place = problem.without(fold), StudyFolder(folder.root / f"outer{fold}")
        search(inner, place, trials=trials, seed=seed, workers=workers, threads=threads, progress=progress(fold))
        winner = best_of(list_candidates(inner, place))
        rows, scored = problem.score_fold(problem.configured(winner.chosen), fold, threads=threads)
        scores[rows] = scored
        winners.append(winner)
    return winners, scores
