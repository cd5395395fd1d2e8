"""One trial: parameters drawn, scored fold by fold, stopped early where they are hopeless."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import optuna
import polars as pl
from optuna.trial import TrialState

from engine.files import write_parquet
from ensemble.learners import Learner
from ensemble.tuning.problem import LEFT_OUT, Problem, Scores
from ensemble.tuning.study import BY_FOLD, StudyFolder, draw_trial


def run_trial(
    study: optuna.Study, problem: Problem, folder: StudyFolder, *, seed: int, worker: int, threads: int
) -> None:
    """Draw parameters, score them fold by fold, stop early where the pruner says so."""
    trial, chosen = draw_trial(study, problem.space, seed=seed, worker=worker)
    learner = problem.configured(chosen)
    scores = _none_yet(problem)
    values: list[float] = []
    for step, fold in enumerate(problem.folds):
        values.append(_fill_fold(problem, learner, fold, scores, threads))
        trial.report(float(np.mean(values)), step)
        if step + 1 < len(problem.folds) and trial.should_prune():
            study.tell(trial, state=TrialState.PRUNED)
            return
    _store(problem, scores, folder.scores(trial.number))
    trial.set_user_attr(BY_FOLD, values)
    study.tell(trial, float(np.mean(values)))


def score_baseline(problem: Problem, folder: StudyFolder, threads: int) -> None:
    """The run's own parameters on the same rows with the same seeds: what every trial is compared with."""
    learner, scores = problem.configured({}), _none_yet(problem)
    for fold in problem.folds:
        _fill_fold(problem, learner, fold, scores, threads)
    _store(problem, scores, folder.baseline)


def _none_yet(problem: Problem) -> Scores:
    return np.full(problem.keys.height, np.nan, dtype=np.float32)


def _fill_fold(problem: Problem, learner: Learner, fold: int, scores: Scores, threads: int) -> float:
    rows, scored = problem.score_fold(learner, fold, threads=threads)
    scores[rows] = scored
    return problem.pauc(rows, scored)


def _store(problem: Problem, scores: Scores, path: Path) -> None:
    table = problem.keys.select("isic_id").with_columns(pl.Series("score", scores))
    write_parquet(table.filter(problem.fold != LEFT_OUT), path)
