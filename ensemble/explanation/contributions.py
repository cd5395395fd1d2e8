"""What each feature adds to the log odds of a block of lesions; for the definition, see the package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ensemble.explanation.selection import Floats, Ints
from ensemble.learners import Model
from ensemble.matrix import Matrix
from ensemble.model_store import ModelStore
from ensemble.out_of_fold import Plan


@dataclass(frozen=True)
class Explainer:
    """The models that explain some of the lesions.

    Attributes:
        rows: Positions of these lesions, ascending; shape (rows,).
        models: By learner, at least one each.
        weights: The blend's weight of each learner.
    """

    rows: Ints
    models: Mapping[str, Sequence[Model]]
    weights: Mapping[str, float]

    def within(self, rows: Ints) -> Explainer:
        """The same models for the lesions in `rows` that they explain, with positions in `rows`."""
        return replace(self, rows=np.flatnonzero(np.isin(rows, self.rows)))


def out_of_fold(plan: Plan, store: ModelStore, rows: Ints, weights: Mapping[str, float]) -> list[Explainer]:
    """The explainers of a training cohort's rows: in each repeat, the models that did not train on the row's fold.

    Args:
        plan: What was trained; it may hold more learners than are blended.
        store: The models.
        rows: Chosen rows of the cohort, ascending.
        weights: The blend's weight of each blended learner.
    """
    folds = np.stack([assignment[rows] for assignment in plan.assignments], axis=1)
    fitted = {slot: store.load(slot) for slot in plan.slots() if slot.learner in weights}
    explainers = []
    for mine in np.unique(folds, axis=0):
        models: dict[str, list[Model]] = {name: [] for name in weights}
        for slot, model in fitted.items():
            if mine[slot.repeat] == slot.fold:
                models[slot.learner].append(model)
        explainers.append(Explainer(np.flatnonzero((folds == mine).all(axis=1)), models, weights))
    return explainers


@dataclass(frozen=True)
class Explained:
    """Contributions of a block of lesions, in weighted log odds.

    Attributes:
        names: The features of all learners.
        by_learner: What each feature adds through a learner; shape (rows, features) each.
        base: The log odds before anything is known about the lesion; shape (rows,).
    """

    names: tuple[str, ...]
    by_learner: Mapping[str, Floats]
    base: Floats

    @cached_property
    def blended(self) -> Floats:
        """All learners together; shape (rows, features)."""
        return np.asarray(np.sum(list(self.by_learner.values()), axis=0), dtype=np.float64)

    @property
    def log_odds(self) -> Floats:
        """Base and contributions together: the learners' weighted log odds; shape (rows,)."""
        return np.asarray(self.base + self.blended.sum(axis=1), dtype=np.float64)


def feature_names(explainers: Sequence[Explainer]) -> tuple[str, ...]:
    """Every feature that any model knows, in the order of the models."""
    models = [model for explainer in explainers for fitted in explainer.models.values() for model in fitted]
    return tuple(dict.fromkeys(name for model in models for name in model.space.names))


def explain(explainers: Sequence[Explainer], matrix: Matrix, *, names: Sequence[str], threads: int) -> Explained:
    """Explain some lesions; a lesion's result does not depend on the others, to the last bit.

    Args:
        explainers: The models, each with the rows of the matrix that they explain.
        matrix: Features of the lesions, shape (rows, features).
        names: Features to return, in this order; at least those of the models.
        threads: CPU threads; the result does not depend on it.
    """
    column = {name: at for at, name in enumerate(names)}
    learners = dict.fromkeys(name for explainer in explainers for name in explainer.models)
    by_learner = {name: np.zeros((len(matrix), len(names))) for name in learners}
    base = np.zeros(len(matrix))
    for explainer in explainers:
        if not explainer.rows.size:
            continue
        part = matrix.rows(explainer.rows)
        for name, models in explainer.models.items():
            for model in models:
                found = model.contributions(part, threads=threads) * (explainer.weights[name] / len(models))
                columns = np.array([column[feature] for feature in model.space.names], dtype=np.intp)
                by_learner[name][np.ix_(explainer.rows, columns)] += found[:, :-1]
                base[explainer.rows] += found[:, -1]
    return Explained(tuple(names), by_learner, base)
