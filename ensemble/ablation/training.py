"""Out-of-fold scores of every variant: the same folds, seeds and drawn rows, what does not change made once."""

from __future__ import annotations

import multiprocessing
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.files import TEMPORARY, atomic_path, fingerprint
from ensemble.ablation.reuse import share
from ensemble.ablation.scores import ScoreFile
from ensemble.ablation.variants import Variant
from ensemble.matrix import FeatureSpace, Matrix
from ensemble.model_store import Slot
from ensemble.out_of_fold import Plan, Scores, draw

#: Trained first, since it takes longest: then no process is left alone with it at the end.
_LONGEST = "catboost"
#: Of a slot (a learner, fold and seed) or a piece of one: how many models were trained, and in how many seconds.
Progress = Callable[[Slot, int, float], None]


@dataclass(frozen=True)
class Training:
    """What every variant shares.

    Attributes:
        plan: Learners, folds, seeds and sampling; what each learner may see at all.
        matrix: Every feature of every lesion, shape (rows, features).
        target: 0 benign, 1 malignant, shape (rows,).
        ids: `isic_id` of each row.
        folder: Where scores are kept, so that a killed ablation goes on.
    """

    plan: Plan
    matrix: Matrix
    target: npt.NDArray[np.int8]
    ids: Sequence[str]
    folder: Path

    def plan_of(self, variant: Variant) -> Plan:
        """The plan with what each learner sees narrowed to a variant; a learner that would see nothing is left out."""
        space = self.matrix.space
        seen = {
            name: space.restricted(set(self.plan.features.get(name, space.names)) & set(variant.features)).names
            for name in self.plan.learners
        }
        learners = {name: learner for name, learner in self.plan.learners.items() if seen[name]}
        return replace(self.plan, learners=learners, features={name: seen[name] for name in learners})


def train_variants(
    training: Training,
    variants: Sequence[Variant],
    *,
    known: Mapping[str, Mapping[str, Scores]] | None = None,
    workers: int,
    threads: int,
    progress: Progress,
) -> dict[str, dict[str, Scores]]:
    """Train what is not on disk yet, and read the rest.

    Args:
        training: What the variants share.
        variants: Sets of features.
        known: By variant the scores by learner that training would give, of variants that need none.
        workers: Processes; with one, training happens in this one.
        threads: CPU threads of all processes together. Neither number changes a bit.
        progress: Called after each slot; the last slots are divided among the processes.

    Returns:
        By variant and learner the mean over seeds (and repeats) of out-of-fold scores, each of shape (rows,).
    """
    plans = {variant.name: training.plan_of(variant) for variant in variants}
    files = {name: ScoreFile(training.folder, name, _identity(plan)) for name, plan in plans.items()}
    for name, scores in (known or {}).items():
        if not files[name].exists():
            files[name].write(training.ids, scores)
    missing = {name: plans[name] for name, file in files.items() if not file.exists()}
    if missing:
        with _on_disk(training) as work:
            tasks = _divided(_tasks(missing, training.folder), workers)
            _train(work, tasks, workers=min(workers, max(len(tasks), 1)), threads=threads, progress=progress)
        for name, plan in missing.items():
            files[name].write(training.ids, _gather(plan, training))
    shutil.rmtree(training.folder / "cells", ignore_errors=True)  # only now: variants may share some
    return {name: file.read() for name, file in files.items()}


@dataclass(frozen=True)
class _Work:
    """What a process needs; the matrix is read from disk where it lies once for all of them."""

    plan: Plan
    space: FeatureSpace
    values: Path
    target: npt.NDArray[np.int8]


@dataclass(frozen=True)
class _Task:
    """Models of one slot: the features of each, and where the scores of its held-out fold go."""

    slot: Slot
    sets: tuple[tuple[str, ...], ...]
    cells: tuple[Path, ...]


def _identity(plan: Plan) -> str:
    return fingerprint([_model_identity(plan, slot) for slot in plan.slots()])


def _model_identity(plan: Plan, slot: Slot) -> str:
    return fingerprint([plan.fingerprint(slot), plan.features[slot.learner]])


def _cell(folder: Path, plan: Plan, slot: Slot) -> Path:
    return folder / "cells" / f"{_model_identity(plan, slot)}.npy"


def _tasks(plans: Mapping[str, Plan], folder: Path) -> list[_Task]:
    wanted: dict[Slot, dict[Path, tuple[str, ...]]] = {}
    for plan in plans.values():
        for slot in plan.slots():
            cell = _cell(folder, plan, slot)
            if not cell.exists():
                wanted.setdefault(slot, {})[cell] = plan.features[slot.learner]
    tasks = [_Task(slot, tuple(cells.values()), tuple(cells)) for slot, cells in wanted.items()]
    return sorted(tasks, key=lambda task: task.slot.learner != _LONGEST)


def _divided(tasks: Sequence[_Task], workers: int) -> list[_Task]:
    """The last tasks in pieces, the very last in one for each process: else one of them ends long after the others."""
    pieces = []
    for left, task in zip(range(len(tasks), 0, -1), tasks, strict=True):
        parts = min(-(-workers // left), len(task.sets))
        pieces += [_Task(task.slot, task.sets[part::parts], task.cells[part::parts]) for part in range(parts)]
    return pieces


@contextmanager
def _on_disk(training: Training) -> Iterator[_Work]:
    path = training.folder / f"{TEMPORARY}matrix.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        np.save(path, training.matrix.values)
        yield _Work(training.plan, training.matrix.space, path, training.target)
    finally:
        path.unlink(missing_ok=True)


def _train(work: _Work, tasks: Sequence[_Task], *, workers: int, threads: int, progress: Progress) -> None:
    if workers == 1:
        for task in tasks:
            progress(task.slot, len(task.sets), _train_slot(work, task, threads))
        return
    context = multiprocessing.get_context("spawn")  # a fork after OpenMP has started threads would hang
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        own = max(1, threads // workers)
        running = {pool.submit(_train_slot, work, task, own): task for task in tasks}
        try:
            for done in as_completed(running):
                task = running[done]
                progress(task.slot, len(task.sets), done.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _train_slot(work: _Work, task: _Task, threads: int) -> float:
    """Train every wanted set of features on one sample; each one's scores are on disk before the next begins."""
    start, slot, plan = time.perf_counter(), task.slot, work.plan
    matrix = Matrix(work.space, np.load(work.values, mmap_mode="r"))
    held_out = plan.assignments[slot.repeat] == slot.fold
    union = {name for names in task.sets for name in names}
    key = (slot.seed, slot.repeat, slot.fold)
    sample = draw(plan, matrix, work.target, np.flatnonzero(~held_out), key=key, names=union)
    asked = matrix.part(np.flatnonzero(held_out), union)
    shared = share(plan.learners[slot.learner], sample, task.sets, seed=slot.seed, threads=threads)
    for names, cell in zip(task.sets, task.cells, strict=True):
        scores = shared.fit(sample.matrix.space.restricted(names)).predict(asked, threads=threads)
        with atomic_path(cell) as temporary:
            np.save(temporary, scores)
    return time.perf_counter() - start


def _gather(plan: Plan, training: Training) -> dict[str, Scores]:
    """The mean over seeds and repeats, added in the order of `ensemble.out_of_fold.score_out_of_fold`."""
    totals = {name: np.zeros(len(training.matrix)) for name in plan.learners}
    for slot in plan.slots():
        rows = np.flatnonzero(plan.assignments[slot.repeat] == slot.fold)
        totals[slot.learner][rows] += np.load(_cell(training.folder, plan, slot))
    n_models = len(plan.seeds) * len(plan.assignments)
    return {name: total / n_models for name, total in totals.items()}
