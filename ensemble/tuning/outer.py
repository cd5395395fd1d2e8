"""Fully nested tuning: each outer fold has its own study, which never sees that fold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ensemble.jobs import JobRunner
from ensemble.tuning.candidates import Candidate, best_of, list_candidates, scores_of_chosen
from ensemble.tuning.problem import Problem, Scores
from ensemble.tuning.search import Effort, Progress, search


def tune_by_fold(
    problem: Problem,
    folder: Path,
    runner: JobRunner,
    effort: Effort,
    *,
    progress: Callable[[int], Progress] = lambda _fold: lambda _tally: None,
) -> tuple[list[Candidate], Scores]:
    """For each fold, tune on the others, which serve as inner folds since they are patient folds already.

    Args:
        problem: What is tuned on what; at least 3 folds.
        folder: Holds each fold's study in a folder `outer{fold}`.
        runner: See `search`.
        effort: How much to search for each outer fold.
        progress: Given the outer fold, what to call after each trial.

    Returns:
        The candidate chosen for each fold, in fold order, and the scores of models trained with it on all other folds,
        shape (lesions,).
    """
    chosen = []
    for fold in problem.folds:
        inner, place = problem.without(fold), folder / f"outer{fold}"
        search(inner, place, runner, effort, progress=progress(fold))
        chosen.append(best_of(list_candidates(inner, place, runner)))
    return chosen, scores_of_chosen(problem, chosen, runner)
