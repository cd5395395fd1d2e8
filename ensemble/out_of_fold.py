"""Out-of-fold scores: train on all folds but one and score that one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from ensemble.jobs import Job, JobRunner, Outcome, Table
from ensemble.jobs.table import Rows, Target
from ensemble.learners import Learner
from ensemble.matrix import Matrix
from ensemble.model_store import ModelStore, Slot
from ensemble.sampling import sample_rows

Scores = npt.NDArray[np.float64]
Folds = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Plan:
    """What to train.

    Attributes:
        learners: Learners by name.
        assignments: The fold of each row, one array of shape (rows,) for each repeat.
        seeds: Seeds; each also draws its own part of the benign lesions.
        benign_per_malignant: Benign rows for each malignant one in training; infinity for all.
        features: Names of the features that a learner sees; a learner not listed sees all.
        noise: By feature name, the standard deviation of the training noise, in units of the feature's own.
    """

    learners: Mapping[str, Learner]
    assignments: Sequence[Folds]
    seeds: Sequence[int]
    benign_per_malignant: float
    features: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    noise: Mapping[str, float] = field(default_factory=dict)

    def slots(self) -> list[Slot]:
        """Every model to train, learner by learner."""
        return [
            Slot(learner, repeat, int(fold), seed)
            for learner in self.learners
            for repeat, assignment in enumerate(self.assignments)
            for fold in np.unique(assignment)
            for seed in self.seeds
        ]

    def repetition(self, number: int, assignments: Sequence[Folds]) -> Plan:
        """The same plan with other folds and seeds, which also draw other benign lesions.

        Args:
            number: From 1; no two repetitions share a seed with each other or with this plan.
            assignments: The other folds.
        """
        step = max(self.seeds) + 1
        return replace(self, assignments=assignments, seeds=[seed + number * step for seed in self.seeds])

    def sample(self, target: Target, rows: Rows, draw: tuple[int, ...]) -> Rows:
        """The rows among `rows` that a model trains on.

        Args:
            target: 0 benign, 1 malignant, shape (table rows,).
            rows: Positions of the rows that the model may train on.
            draw: The seed, then whatever else the choice depends on, each 0 or more.
        """
        return rows[sample_rows(target[rows], benign_per_malignant=self.benign_per_malignant, seed=draw)]

    def job(self, learner: str, table: Table, *, train: Rows, score: Rows, draw: tuple[int, ...], label: str) -> Job:
        """A job of this plan: one learner with the features it sees.

        Args:
            learner: Its name in the plan.
            table: What it reads.
            train: Rows to train on, already drawn.
            score: Rows to score.
            draw: See `sample`.
            label: See `Job`.

        Raises:
            InputError: The table lacks one of the learner's features.
        """
        space = table.matrix.space
        seen = space.restricted(self.features.get(learner, space.names)).names
        return Job(label, self.learners[learner], seen, train, score, draw[0], self.noise, draw)


def plan_jobs(plan: Plan, table: Table) -> dict[Slot, Job]:
    """The job of every model of a plan: trained without its fold, which it scores."""
    train: dict[tuple[int, ...], Rows] = {}
    score: dict[tuple[int, ...], Rows] = {}
    jobs = {}
    for slot in plan.slots():
        draw, held_out = (slot.seed, slot.repeat, slot.fold), plan.assignments[slot.repeat] == slot.fold
        if draw not in train:
            train[draw] = plan.sample(table.target, np.flatnonzero(~held_out), draw)
            score[draw] = np.flatnonzero(held_out)
        jobs[slot] = plan.job(slot.learner, table, train=train[draw], score=score[draw], draw=draw, label=slot.key)
    return jobs


def train(plan: Plan, table: Table, runner: JobRunner, *, store: ModelStore) -> None:
    """Run the jobs of a plan, and keep their models.

    Args:
        plan: What to train.
        table: What it is trained on.
        runner: Runs the jobs.
        store: Where models go; one already stored under its job's name is not trained again.
    """
    jobs = plan_jobs(plan, table)
    slots = list(jobs)
    store.begin(table.matrix.space, slots)

    def keep(place: int, name: str) -> Callable[[bytes], None] | None:
        slot = slots[place]
        if store.has(slot, name):
            return None
        return lambda content: store.add(slot, content, learner=jobs[slot].learner, job=name, seen=jobs[slot].columns)

    runner.run(list(jobs.values()), table, title="models", keep=keep)


def score_out_of_fold(
    plan: Plan, table: Table, runner: JobRunner, *, title: str | None = "scores"
) -> dict[str, Scores]:
    """Score each lesion by the models that did not train on its patient; stored results are reused.

    Returns:
        By learner, the mean over seeds (and repeats) of the scores, each of shape (rows,).
    """
    jobs = plan_jobs(plan, table)
    return gather(plan, jobs, runner.run(list(jobs.values()), table, title=title), len(table.target))


def apply_out_of_fold(plan: Plan, matrix: Matrix, store: ModelStore, *, threads: int) -> dict[str, Scores]:
    """Score other values of the same lesions by the kept models that did not train on their patient.

    Args:
        plan: What was trained; its assignments hold the fold of each row of `matrix`.
        matrix: Features, shape (rows, features).
        store: The models.
        threads: CPU threads.

    Returns:
        See `score_out_of_fold`.
    """
    totals = {name: np.zeros(len(matrix)) for name in plan.learners}
    for slot in plan.slots():
        rows = plan.assignments[slot.repeat] == slot.fold
        totals[slot.learner][rows] += store.load(slot).predict(matrix.rows(rows), threads=threads)
    n_models = len(plan.seeds) * len(plan.assignments)
    return {name: total / n_models for name, total in totals.items()}


def gather(plan: Plan, jobs: Mapping[Slot, Job], outcomes: Iterable[Outcome], rows: int) -> dict[str, Scores]:
    """By learner, the mean over seeds and repeats of the jobs' scores, each of shape (rows,)."""
    totals = {slot.learner: np.zeros(rows) for slot in jobs}
    for (slot, job), outcome in zip(jobs.items(), outcomes, strict=True):
        totals[slot.learner][job.score] += outcome.scores
    n_models = len(plan.seeds) * len(plan.assignments)
    return {name: total / n_models for name, total in totals.items()}
