"""The candidates: the run's own parameters and every complete trial, each with its pAUC by fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from optuna.trial import TrialState

from ensemble.jobs import JobRunner
from ensemble.tuning.problem import Problem, Scores
from ensemble.tuning.study import BY_FOLD, open_study


@dataclass(frozen=True)
class Candidate:
    """Parameters that were scored on every fold.

    Attributes:
        name: "run" for the run's own parameters, otherwise for example "trial 7".
        chosen: Searched parameters; empty for the run's own.
        pauc: pAUC of each fold, in the order of the folds.
    """

    name: str
    chosen: Mapping[str, Any]
    pauc: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean pAUC over folds."""
        return float(np.mean(self.pauc))

    def scores(self, problem: Problem, runner: JobRunner) -> Scores:
        """Its out-of-fold scores, from the result store; shape (lesions,), NaN for lesions left out."""
        return problem.score(problem.configured(self.chosen), problem.folds, runner)


def list_candidates(problem: Problem, folder: Path, runner: JobRunner) -> list[Candidate]:
    """The run's own parameters first, then the complete trials by number."""
    own = problem.score(problem.current, problem.folds, runner, title="baseline")
    run = Candidate("run", {}, tuple(problem.pauc(own, fold) for fold in problem.folds))
    trials = open_study(folder, problem).get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return [
        run,
        *(Candidate(f"trial {one.number}", dict(one.params), tuple(one.user_attrs[BY_FOLD])) for one in trials),
    ]


def best_of(candidates: Sequence[Candidate], *, apart_from: int | None = None) -> Candidate:
    """The candidate with the largest mean pAUC; the first of equals.

    Args:
        candidates: What to choose from.
        apart_from: Position of a fold that is not counted.
    """
    positions = [position for position in range(len(candidates[0].pauc)) if position != apart_from]
    return max(candidates, key=lambda one: np.mean([one.pauc[position] for position in positions]))


def nested_selection(
    problem: Problem, candidates: Sequence[Candidate], runner: JobRunner
) -> tuple[list[Candidate], Scores]:
    """Choose for each fold by the other folds, and take the fold's scores from what was chosen.

    Every candidate was trained without the fold it scores, so neither the models nor the choice see that fold. It needs
    no training. One bias remains: the sampler proposed, and the pruner dropped, trials with knowledge of all folds.

    Returns:
        The candidate chosen for each fold, in fold order, and the scores, shape (lesions,).
    """
    chosen = [best_of(candidates, apart_from=position) for position in range(len(problem.folds))]
    return chosen, scores_of_chosen(problem, chosen, runner)


def scores_of_chosen(problem: Problem, chosen: Sequence[Candidate], runner: JobRunner) -> Scores:
    """Scores of each fold by models with the parameters chosen for it, trained on all other folds; (lesions,)."""
    scores = np.full(len(problem.fold), np.nan)
    for fold, one in zip(problem.folds, chosen, strict=True):
        rows = problem.rows(fold)
        scores[rows] = problem.score(problem.configured(one.chosen), [fold], runner)[rows]
    return scores
