"""Out-of-fold scores: train on all folds but one and score that one; new lesions get the mean of all models."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.files import fingerprint
from ensemble.learners import Learner, Model
from ensemble.matrix import Matrix
from ensemble.model_store import ModelStore, Slot
from ensemble.sampling import Sample, sample_rows, with_noise
from ensemble.side_by_side import side_by_side

Scores = npt.NDArray[np.float64]
Folds = npt.NDArray[np.int8]
Progress = Callable[[Slot, bool], None]


@dataclass(frozen=True)
class Plan:
    """What to train.

    Attributes:
        learners: Learners by name.
        assignments: The fold of each row, one array of shape (rows,) for each repeat.
        seeds: Seeds; each also draws its own part of the benign lesions.
        benign_per_malignant: Benign rows for each malignant one in training; infinity for all.
        identity: What the features, folds and weights are (say their SHA-256 sums); part of each model's fingerprint.
        features: Names of the features that a learner sees; a learner that is not here sees all.
        weight: Weight of each row in training, shape (rows,); None weighs all alike.
        noise: Standard deviation of the noise added to features in training, in that of the feature, by its name.
    """

    learners: Mapping[str, Learner]
    assignments: Sequence[Folds]
    seeds: Sequence[int]
    benign_per_malignant: float
    identity: Mapping[str, str]
    features: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    weight: Scores | None = None
    noise: Mapping[str, float] = field(default_factory=dict)

    def slots(self) -> list[Slot]:
        """Every model to train, in the order in which they are trained."""
        return [
            Slot(learner, repeat, int(fold), seed)
            for learner in self.learners
            for repeat, assignment in enumerate(self.assignments)
            for fold in np.unique(assignment)
            for seed in self.seeds
        ]

    def fingerprint(self, slot: Slot) -> str:
        """What the model depends on, the number of threads left out: it changes no bit."""
        learner = self.learners[slot.learner]
        return fingerprint(
            {
                "slot": slot.name,
                "learner": slot.learner,
                "parameters": dict(learner.parameters),
                "benign_per_malignant": self.benign_per_malignant,
                "features": list(self.features.get(slot.learner, ())),
                "noise": dict(self.noise),
                **self.identity,
            }
        )


def train(
    plan: Plan, matrix: Matrix, target: npt.NDArray[np.int8], store: ModelStore, *, threads: int, progress: Progress
) -> None:
    """Train the models of a plan; see `fill`.

    Args:
        plan: What to train.
        matrix: Features, shape (rows, features).
        target: 0 benign, 1 malignant, shape (rows,).
        store: Where the models go.
        threads: CPU threads.
        progress: See `fill`.
    """
    slots = plan.slots()

    def fit(slot: Slot, share: int) -> Model:
        rows = np.flatnonzero(plan.assignments[slot.repeat] != slot.fold)
        key = (slot.seed, slot.repeat, slot.fold)
        return fit_one(plan, slot.learner, matrix, target, rows, key=key, threads=share)

    store.begin(matrix.space, slots)
    fill(store, plan, slots, fit, threads=threads, progress=progress)


def fill(
    store: ModelStore,
    plan: Plan,
    slots: Sequence[Slot],
    fit: Callable[[Slot, int], Model],
    *,
    threads: int,
    progress: Progress,
) -> None:
    """Make what the store does not hold yet, some models at a time; they go to disk in order, each once it is made.

    Args:
        store: Where the models go; it has begun with these slots, and models with the same fingerprint are kept.
        plan: Gives the slots their fingerprints, and the learners.
        slots: The models to have.
        fit: Makes one, with its share of the threads.
        threads: CPU threads.
        progress: Called after each model with its slot and whether it was there already.
    """
    wanted = {slot: plan.fingerprint(slot) for slot in slots}
    missing = {slot: fingerprint for slot, fingerprint in wanted.items() if not store.has(slot, fingerprint)}
    with side_by_side(fit, list(missing), threads=threads) as models:
        for slot in slots:
            if slot in missing:
                store.add(slot, next(models), suffix=plan.learners[slot.learner].suffix, fingerprint=missing[slot])
            progress(slot, slot not in missing)


def fit_one(
    plan: Plan,
    learner: str,
    matrix: Matrix,
    target: npt.NDArray[np.int8],
    rows: npt.NDArray[np.intp],
    *,
    key: tuple[int, ...],
    threads: int,
) -> Model:
    """Train one model on a sample of the given rows.

    Args:
        plan: The learner, what it sees, and how rows are drawn and weighed.
        learner: Its name in the plan.
        matrix: Features, shape (rows, features).
        target: 0 benign, 1 malignant, shape (rows,).
        rows: Positions of the rows that it may train on.
        key: Seed first, then whatever else the draw of benign rows depends on, each 0 or more.
        threads: CPU threads.
    """
    sample = draw(plan, matrix, target, rows, key=key, names=plan.features.get(learner))
    fit = plan.learners[learner].fit
    return fit(sample.matrix, sample.target, seed=key[0], threads=threads, weight=sample.weight)


def draw(
    plan: Plan,
    matrix: Matrix,
    target: npt.NDArray[np.int8],
    rows: npt.NDArray[np.intp],
    *,
    key: tuple[int, ...],
    names: Collection[str] | None,
) -> Sample:
    """Draw what a model is trained on: the rows chosen by a plan, with its noise and weights.

    Args:
        plan: How rows are drawn, blurred and weighed.
        matrix: Features, shape (rows, features).
        target: 0 benign, 1 malignant, shape (rows,).
        rows: Positions of the rows that it may train on.
        key: What the draw and the noise depend on, each 0 or more.
        names: The features to take, in the order of the matrix; None takes all.
    """
    chosen = rows[sample_rows(target[rows], benign_per_malignant=plan.benign_per_malignant, seed=key)]
    seen = matrix.part(chosen, names)
    if plan.noise:
        seen = with_noise(seen, plan.noise, seed=key)
    return Sample(seen, target[chosen], None if plan.weight is None else plan.weight[chosen])


def score_out_of_fold(plan: Plan, matrix: Matrix, store: ModelStore, *, threads: int) -> dict[str, Scores]:
    """Score each lesion by the models that did not train on its patient.

    Returns:
        By learner the mean over seeds (and repeats) of the scores, each of shape (rows,).
    """
    totals = {name: np.zeros(len(matrix)) for name in plan.learners}
    slots = plan.slots()

    def ask(slot: Slot, share: int) -> Scores:
        model = store.load(slot, plan.learners[slot.learner])
        return model.predict(matrix.rows(plan.assignments[slot.repeat] == slot.fold), threads=share)

    with side_by_side(ask, slots, threads=threads) as found:
        for slot, scores in zip(slots, found, strict=True):
            totals[slot.learner][plan.assignments[slot.repeat] == slot.fold] += scores
    n_models = len(plan.seeds) * len(plan.assignments)
    return {name: total / n_models for name, total in totals.items()}


def load_models(learners: Mapping[str, Learner], store: ModelStore) -> dict[str, list[Model]]:
    """Every model of a run by learner, each checked against its SHA-256."""
    slots = store.slots()
    return {
        name: [store.load(slot, learner) for slot in slots if slot.learner == name]
        for name, learner in learners.items()
    }


def score_new(models: Mapping[str, Sequence[Model]], matrix: Matrix, *, threads: int) -> dict[str, Scores]:
    """Score new lesions: by learner the mean of all its models' scores, each of shape (rows,)."""
    scores = {}
    for name, fitted in models.items():
        total = np.zeros(len(matrix))
        for model in fitted:  # one after the other: the same bits for one lesion and for many
            total += model.predict(matrix, threads=threads)
        scores[name] = total / len(fitted)
    return scores
