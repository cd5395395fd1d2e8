"""The fully nested estimate: what scores a patient fold has learned everything, weights and maps too, from the others.

The usual out-of-fold score of a lesion comes from models that never saw its patient, but the choices made on those
scores (blend weights, quantile maps, calibration) saw it. Here each outer fold is scored as a run on the other folds
would score new patients: models trained without the outer and one inner fold, inner out-of-fold scores, weights and
maps fitted on those, and for the outer fold the mean of the inner models. A model trained without folds j and k serves
outer fold j with inner fold k and the other way round, so n folds take n (n - 1) / 2 models and not n (n - 1).

Source: nested cross-validation after Varma and Simon, BMC Bioinformatics 7:91, 2006.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt

from ensemble.blend import METHODS, Blend, blended_out_of_fold
from ensemble.blend import Method as Blending
from ensemble.calibration import Calibration
from ensemble.calibration import Method as Calibrating
from ensemble.matrix import Matrix
from ensemble.out_of_fold import Plan, fit_one
from ensemble.side_by_side import side_by_side

Scores = npt.NDArray[np.float64]
Folds = npt.NDArray[np.integer[Any]]
Pair = tuple[int, int]


def fold_pairs(fold: Folds) -> list[Pair]:
    """Every two folds, ascending."""
    return list(combinations([int(each) for each in np.unique(fold)], 2))


def score_pair(
    plan: Plan, learners: Sequence[str], matrix: Matrix, target: npt.NDArray[np.int8], pair: Pair, *, threads: int
) -> dict[str, Scores]:
    """Train without two folds, and score both.

    Args:
        plan: Learners, seeds, sampling; its first assignment holds the folds.
        learners: Which of its learners.
        matrix: Features, shape (rows, features), that know nothing of the labels of either fold.
        target: 0 benign, 1 malignant, shape (rows,).
        pair: The two folds.
        threads: CPU threads.

    Returns:
        By learner the mean over seeds, shape (rows,); NaN outside the two folds.
    """
    held_out = np.isin(plan.assignments[0], pair)
    train, score = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    scores = {name: np.full(len(matrix), np.nan) for name in learners}
    unseen = matrix.rows(score)

    def fit_and_ask(model: tuple[str, int], share: int) -> Scores:
        name, seed = model
        fitted = fit_one(plan, name, matrix, target, train, key=(seed, *pair), threads=share)
        return fitted.predict(unseen, threads=share)

    with side_by_side(fit_and_ask, list(product(learners, plan.seeds)), threads=threads) as found:
        for name in learners:
            total = np.zeros(len(score))
            for _ in plan.seeds:
                total += next(found)
            scores[name][score] = total / len(plan.seeds)
    return scores


def nested_scores(
    pairs: Mapping[Pair, Mapping[str, Scores]],
    target: npt.NDArray[np.int8],
    fold: Folds,
    *,
    blend: Blending,
    calibration: Calibrating,
    prevalence: float,
) -> dict[str, Scores]:
    """Put the pairs' scores together, outer fold by outer fold.

    Args:
        pairs: For every two folds what `score_pair` gave.
        target: 0 benign, 1 malignant, shape (rows,).
        fold: Fold of each lesion, shape (rows,).
        blend: The blend whose scores are calibrated.
        calibration: How.
        prevalence: At which risks are stated, in (0, 1).

    Returns:
        Each learner (as the quantile level that the outer fold's own map gives it), `blend_mean`, `blend_greedy`,
        `blend_stack`, and `risk`; each of shape (rows,).
    """
    learners = list(next(iter(pairs.values())))
    names = [*learners, *(f"blend_{method}" for method in METHODS), "risk"]
    result = {name: np.full(len(target), np.nan) for name in names}
    for outer in np.unique(fold):
        here = fold == outer
        inner = _inner(pairs, learners, fold, int(outer))
        new = _new(pairs, learners, here, int(outer))
        for method in METHODS:
            fitted = Blend.fit(inner, target[~here], method=method)
            result[f"blend_{method}"][here] = fitted(new)
            if method == blend:
                blended = blended_out_of_fold(inner, target[~here], fold[~here], method=method)
                risks = Calibration.fit(blended, target[~here], method=calibration, prevalence=prevalence)
                result["risk"][here] = risks(fitted(new))
        for name in learners:
            result[name][here] = fitted.maps[name](new[name])
    return result


def _inner(
    pairs: Mapping[Pair, Mapping[str, Scores]], learners: Sequence[str], fold: Folds, outer: int
) -> dict[str, Scores]:
    """Inner out-of-fold scores of all lesions outside the outer fold, each from a model that saw neither fold."""
    whole = {name: np.full(len(fold), np.nan) for name in learners}
    for pair, scores in pairs.items():
        if outer in pair:
            rows = fold == pair[pair[0] == outer]
            for name in learners:
                whole[name][rows] = scores[name][rows]
    return {name: values[fold != outer] for name, values in whole.items()}


def _new(
    pairs: Mapping[Pair, Mapping[str, Scores]], learners: Sequence[str], here: npt.NDArray[np.bool_], outer: int
) -> dict[str, Scores]:
    """Scores of the outer fold as new lesions get them: the mean of the inner models."""
    mine = [scores for pair, scores in pairs.items() if outer in pair]
    return {name: np.mean([scores[name][here] for scores in mine], axis=0) for name in learners}
