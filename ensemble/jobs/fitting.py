"""Runs a batch of jobs: one sample, one learner, any number of column sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.scratch import scratch
from ensemble.jobs.job import Job
from ensemble.jobs.sharing import share
from ensemble.jobs.table import Rows, Table
from ensemble.learners import Model
from ensemble.sampling import Sample, with_noise

Scores = npt.NDArray[np.float64]
#: Rows scored at a time.
_ROWS = 16_384


@dataclass(frozen=True)
class Outcome:
    """The result of a job.

    Attributes:
        scores: Scores of its score rows, shape (rows,).
        gain: Share of each column in the model's total split gain, or in the total size of its coefficients; shape
            (columns,), sums to 1, or to 0 for a model that uses none.
        model: The model in its library's own format; None if it is not kept.
    """

    scores: Scores
    gain: Scores
    model: bytes | None = None


@dataclass(frozen=True)
class Batch:
    """Jobs that differ only in their columns.

    Attributes:
        jobs: At least one.
        keep: Whether to return the models.
    """

    jobs: tuple[Job, ...]
    keep: bool


def do_batch(table: Table, batch: Batch, cores: int) -> list[Outcome]:
    """Draw the sample and prepare what the column sets share once, then train and score each job."""
    first = batch.jobs[0]
    union = {name for job in batch.jobs for name in job.columns}
    sample = sample_of(first, table, union)
    sets = [job.columns for job in batch.jobs]
    fit = share(first.learner, sample, sets, seed=first.seed, threads=cores)
    models = [fit(sample.matrix.space.restricted(columns)) for columns in sets]
    scores = _scored(models, table, first.score, union, threads=cores)
    suffix = first.learner.suffix
    return [
        Outcome(own, model.gain(), _written(model, suffix) if batch.keep else None)
        for model, own in zip(models, scores, strict=True)
    ]


def _scored(models: Sequence[Model], table: Table, rows: Rows, columns: set[str], *, threads: int) -> list[Scores]:
    """Scores of the same rows by each model; rows are read once, in blocks, so that they are never all copied."""
    scores = [np.empty(len(rows)) for _ in models]
    for start in range(0, len(rows), _ROWS):
        part = slice(start, start + _ROWS)
        seen = table.matrix.part(rows[part], columns)
        for model, own in zip(models, scores, strict=True):
            own[part] = model.predict(seen, threads=threads)
    return scores


def sample_of(job: Job, table: Table, columns: set[str]) -> Sample:
    """What a job trains on: its rows, with noise and weights."""
    seen = table.matrix.part(job.train, columns)
    if job.noise:
        seen = with_noise(seen, job.noise, seed=job.draw)
    return Sample(seen, table.target[job.train], None if table.weight is None else table.weight[job.train])


def _written(model: Model, suffix: str) -> bytes:
    with scratch() as folder:
        model.save(path := folder / f"model{suffix}")
        return path.read_bytes()


def batches(jobs: Mapping[str, Job], together: Mapping[str, str], *, at_once: int) -> list[list[str]]:
    """Names of jobs, grouped into batches that can be done together, in the order to do them.

    CatBoost comes first, as it takes longest; the last batches are split, so that no worker is left alone with one.

    Args:
        jobs: The jobs by name.
        together: By name, a key shared by jobs that can be done together.
        at_once: How many batches run at the same time.
    """
    grouped: dict[str, list[str]] = {}
    for name in jobs:
        grouped.setdefault(together[name], []).append(name)
    ordered = sorted(grouped.values(), key=lambda names: jobs[names[0]].learner.name != "catboost")
    pieces = []
    for left, names in zip(range(len(ordered), 0, -1), ordered, strict=True):
        parts = min(-(-at_once // left), len(names))
        pieces += [names[part::parts] for part in range(parts)]
    return pieces
