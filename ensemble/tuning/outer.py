"""Fully nested tuning: for each outer fold a study of its own, which never sees that fold."""

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
    """Tune on the other folds, fold by fold; they are patient folds already, so they serve as inner folds.

    Args:
        problem: What is tuned on what; at least 3 folds.
        folder: Each fold's study lies in a folder `outer{fold}` of it.
        runner: See `search`.
        effort: Of each outer fold.
        progress: Given the outer fold, what to call after each trial.

    Returns:
        What was chosen for each fold, in their order, and the scores of models trained with it on all other folds,
        shape (lesions,).
    """
    chosen = []
    for fold in problem.folds:
        inner, place = problem.without(fold), folder / f"outer{fold}"
        search(inner, place, runner, effort, progress=progress(fold))
        chosen.append(best_of(list_candidates(inner, place, runner)))
    return chosen, scores_of_chosen(problem, chosen, runner)
