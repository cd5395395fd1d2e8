"""What may be chosen: the run's own parameters and every complete trial, each with its pAUC fold by fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from optuna.trial import TrialState

from cohort.frames import join_by_id
from ensemble.tuning.problem import LEFT_OUT, Problem
from ensemble.tuning.study import BY_FOLD, StudyFolder, open_study

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """Parameters that were scored on every fold.

    Attributes:
        name: "run" for the run's own parameters, else "trial 7".
        chosen: Searched parameters; empty for the run's own.
        pauc: pAUC of each fold, in the order of the folds.
        scores: The file of its out-of-fold scores.
    """

    name: str
    chosen: Mapping[str, Any]
    pauc: tuple[float, ...]
    scores: Path

    @property
    def mean(self) -> float:
        """Mean pAUC over folds."""
        return float(np.mean(self.pauc))


def list_candidates(problem: Problem, folder: StudyFolder) -> list[Candidate]:
    """The run's own parameters first, then the complete trials by number."""
    baseline = read_scores(problem, folder.baseline)
    rows = [np.flatnonzero(problem.fold == fold) for fold in problem.folds]
    own = tuple(problem.pauc(each, baseline[each].astype(np.float32)) for each in rows)
    found = [Candidate("run", {}, own, folder.baseline)]
    for trial in open_study(folder).get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        pauc = tuple(trial.user_attrs[BY_FOLD])
        found.append(Candidate(f"trial {trial.number}", dict(trial.params), pauc, folder.scores(trial.number)))
    return found


def best_of(candidates: Sequence[Candidate], *, apart_from: int | None = None) -> Candidate:
    """The candidate with the largest mean pAUC, of equals the first.

    Args:
        candidates: What to choose from.
        apart_from: Position of a fold that has no say.
    """
    positions = [position for position in range(len(candidates[0].pauc)) if position != apart_from]
    return max(candidates, key=lambda one: np.mean([one.pauc[position] for position in positions]))


def read_scores(problem: Problem, path: Path) -> Scores:
    """Stored out-of-fold scores in the order of the problem's lesions; NaN for those left out."""
    joined = join_by_id(problem.keys.select("isic_id"), pl.read_parquet(path))
    scores = joined["score"].cast(pl.Float64).to_numpy()
    return np.where(problem.fold == LEFT_OUT, np.nan, scores)


def nested_selection(problem: Problem, candidates: Sequence[Candidate]) -> tuple[list[Candidate], Scores]:
    """Choose for each fold by the other folds, and take the fold's scores from what was chosen.

    Every candidate was trained without the fold it scores, so no model sees the fold and the choice does not either.
    It costs no training. What it does not undo: the sampler proposed, and the pruner dropped, trials knowing all folds.

    Returns:
        What was chosen for each fold, in their order, and the scores, shape (lesions,).
    """
    chosen = [best_of(candidates, apart_from=position) for position in range(len(problem.folds))]
    scores = np.full(problem.keys.height, np.nan)
    for fold, one in zip(problem.folds, chosen, strict=True):
        rows = problem.fold == fold
        scores[rows] = read_scores(problem, one.scores)[rows]
    return chosen, scores
