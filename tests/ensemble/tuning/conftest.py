"""A problem small enough that a trial takes milliseconds."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.executors import LocalExecutor
from engine.results import ResultStore
from ensemble.jobs import JobRunner, Table
from ensemble.learners import get_learner
from ensemble.matrix import FeatureSpace
from ensemble.out_of_fold import Plan
from ensemble.tuning import Problem

PATIENTS, LESIONS = 30, 50


def make_problem(*, trees: int = 5, seeds: tuple[int, ...] = (0,)) -> Problem:
    """1,500 lesions of 30 patients, 10 patients a fold, two useful features among four."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(PATIENTS * LESIONS, 4))
    risk = values[:, 0] + values[:, 1] + generator.normal(size=len(values))
    target = (risk > np.quantile(risk, 0.85)).astype(np.int8)
    patient = np.repeat(np.arange(PATIENTS), LESIONS)
    ids = [f"ISIC_{row:04d}" for row in range(len(values))]
    frame = pl.DataFrame({"isic_id": ids, **{f"x{i}": values[:, i] for i in range(4)}})
    fold = (patient % 3).astype(np.int8)
    learner = get_learner("lightgbm", {"n_trees": trees, "min_data_in_leaf": 5})
    plan = Plan({"lightgbm": learner}, [fold], seeds, 5.0)
    table = Table(FeatureSpace.fit(frame).encode(frame), target)
    return Problem(plan, "lightgbm", table, pl.Series([f"IP_{one:02d}" for one in patient]), fold)


@pytest.fixture(scope="session")
def problem() -> Problem:
    return make_problem()


def runner_in(folder: Path, *, cores: int = 1) -> JobRunner:
    """Does jobs; their results lie in `folder`."""
    return JobRunner(ResultStore(folder / "results"), LocalExecutor(cores))


def stored(runner: JobRunner) -> list[Path]:
    """The files of all results."""
    return sorted(runner.results.folder.glob("??/*.result"))


@pytest.fixture
def runner(tmp_path: Path) -> JobRunner:
    return runner_in(tmp_path)
