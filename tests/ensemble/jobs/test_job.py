"""A job's name changes with each thing that it reads, and with nothing else."""

from __future__ import annotations

import hashlib
import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import engine.code
import ensemble.jobs.job
from engine.code import modules_behind
from engine.errors import InputError
from ensemble.jobs import Job, Table
from ensemble.jobs.job import _FITTING, learner_identity
from ensemble.learners import LEARNERS, CatBoost, LightGBM, XGBoost
from ensemble.matrix import FeatureSpace, Matrix

ROWS = 24
TRAIN, SCORE = np.arange(0, 12), np.arange(14, 20)
READ = np.concatenate([TRAIN, SCORE])
SPACE = FeatureSpace(("a", "b", "site", "unseen"), {"site": ("arm", "leg")})
CHANCE = np.random.default_rng(0)
VALUES = np.column_stack([CHANCE.normal(size=(ROWS, 4)).astype(np.float32)])
VALUES[:, 2] = np.arange(ROWS) % 2
TARGET = (np.arange(ROWS) % 3 == 0).astype(np.int8)
WEIGHT = np.linspace(0.5, 1.5, ROWS)
TABLE = Table(Matrix(SPACE, VALUES), TARGET, WEIGHT)
JOB = Job("a job", LightGBM.configured({}), ("a", "b", "site"), TRAIN, SCORE, 0, {"a": 0.1}, (0, 0, 1))
NAME = JOB.name(TABLE)


def with_values(change: Callable[[np.ndarray], None]) -> str:
    values = VALUES.copy()
    change(values)
    return JOB.name(Table(Matrix(SPACE, values), TARGET, WEIGHT))


def moved(row: int, column: int) -> str:
    def change(values: np.ndarray) -> None:
        values[row, column] += 1

    return with_values(change)


def test_every_value_that_is_read_is_in_it() -> None:
    found = {moved(row, column) for row in READ for column in range(3)}
    assert len(found | {NAME}) == len(READ) * 3 + 1


def test_no_value_that_is_not_read_is_in_it() -> None:
    others = sorted(set(range(ROWS)) - set(READ.tolist()))
    assert {moved(row, column) for row in others for column in range(4)} == {NAME}
    assert {moved(row, 3) for row in range(ROWS)} == {NAME}


def test_two_rows_changed_for_each_other_are_another_job() -> None:
    def change(values: np.ndarray) -> None:
        values[[3, 4]] = values[[4, 3]]

    assert with_values(change) != NAME


def test_labels_and_weights_of_training_are_in_it_and_no_others() -> None:
    for row in range(ROWS):
        target, weight = TARGET.copy(), WEIGHT.copy()
        target[row] = 1 - target[row]
        weight[row] += 0.25
        for table in (Table(TABLE.matrix, target, WEIGHT), Table(TABLE.matrix, TARGET, weight)):
            assert (JOB.name(table) != NAME) == (row in TRAIN)
    assert JOB.name(Table(TABLE.matrix, TARGET, None)) != NAME


@pytest.mark.parametrize(
    "changed",
    [
        replace(JOB, learner=LightGBM.configured({"n_trees": 201})),
        replace(JOB, learner=LightGBM.configured({"max_bin": 255})),
        replace(JOB, learner=XGBoost.configured({})),
        replace(JOB, learner=CatBoost.configured({})),
        replace(JOB, columns=("a", "b")),
        replace(JOB, columns=("a", "b", "site", "unseen")),
        replace(JOB, train=TRAIN[:-1]),
        replace(JOB, score=SCORE[:-1]),
        replace(JOB, score=SCORE[::-1]),
        replace(JOB, train=SCORE, score=TRAIN),
        replace(JOB, seed=1),
        replace(JOB, noise={}),
        replace(JOB, noise={"a": 0.2}),
        replace(JOB, noise={"a": 0.1, "b": 0.1}),
        replace(JOB, draw=(0, 0, 2)),
    ],
)
def test_what_is_done_otherwise_is_another_job(changed: Job) -> None:
    assert changed.name(TABLE) != NAME


@pytest.mark.parametrize(
    "changed",
    [
        replace(JOB, label="another"),
        replace(JOB, columns=("site", "b", "a")),  # a learner sees them in the order of the table
        replace(JOB, noise={"a": 0.1, "unseen": 0.3}),
        replace(JOB, learner=LightGBM.configured({"n_trees": 200})),  # the default
        replace(JOB, train=TRAIN.copy(), score=SCORE.copy()),
    ],
)
def test_what_is_called_otherwise_is_the_same_job(changed: Job) -> None:
    assert changed.name(TABLE) == NAME


def test_without_noise_its_draw_does_not_count() -> None:
    plain = replace(JOB, noise={})
    assert plain.name(TABLE) == replace(plain, draw=(5, 5)).name(TABLE)


def test_the_order_of_columns_and_the_levels_are_in_it() -> None:
    turned = Matrix(FeatureSpace(("b", "a", "site", "unseen"), SPACE.levels), VALUES[:, [1, 0, 2, 3]])
    assert JOB.name(Table(turned, TARGET, WEIGHT)) != NAME
    levels = Matrix(FeatureSpace(SPACE.names, {"site": ("arm", "face")}), VALUES)
    assert JOB.name(Table(levels, TARGET, WEIGHT)) != NAME
    names = Matrix(FeatureSpace(("a", "c", "site", "unseen"), SPACE.levels), VALUES)
    assert replace(JOB, columns=("a", "c", "site")).name(Table(names, TARGET, WEIGHT)) != NAME


def test_where_rows_and_columns_stand_does_not_count() -> None:
    shift = 5
    values = np.full((ROWS + 2 * shift, 6), 9.0, dtype=np.float32)
    values[shift : shift + ROWS, [0, 2, 3]] = VALUES[:, :3]
    space = FeatureSpace(("a", "more", "b", "site", "unseen", "others"), SPACE.levels)
    target, weight = np.zeros(len(values), dtype=np.int8), np.ones(len(values))
    target[shift : shift + ROWS], weight[shift : shift + ROWS] = TARGET, WEIGHT
    larger = Table(Matrix(space, values), target, weight)
    assert replace(JOB, train=TRAIN + shift, score=SCORE + shift).name(larger) == NAME


def test_a_column_that_the_table_lacks_is_refused() -> None:
    with pytest.raises(InputError, match="no features taste"):
        replace(JOB, columns=("a", "taste")).name(TABLE)


def test_digests_are_those_of_whole_columns() -> None:
    values = np.random.default_rng(0).normal(size=(7_000, 3)).astype(np.float32)
    table = Table(Matrix(FeatureSpace(("a", "b", "c"), {}), values), np.zeros(7_000, dtype=np.int8))
    rows = np.arange(1, 7_000, 2)
    wanted = [hashlib.sha256(values[rows, place].tobytes()).hexdigest() for place in (2, 0)]
    assert table.digest_of_columns(("c", "a"), rows) == wanted


def test_another_version_of_the_library_is_another_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble.jobs.job, "version", lambda name: f"{name} 99")
    ensemble.jobs.job._library.cache_clear()
    assert JOB.name(TABLE) != NAME
    monkeypatch.undo()
    ensemble.jobs.job._library.cache_clear()
    assert JOB.name(TABLE) == NAME


def _forget() -> None:
    for cached in (engine.code._meaning, engine.code._place, ensemble.jobs.job._code):
        cached.cache_clear()


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the sources from which the code of jobs is taken."""
    shutil.copytree(Path(ensemble.__file__).parent, tmp_path / "ensemble", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(engine.code, "_HERE", tmp_path)
    _forget()
    yield tmp_path
    _forget()


def test_code_that_fits_is_in_it_comments_are_not(house: Path) -> None:
    assert JOB.name(TABLE) == NAME
    for module in (*_FITTING, "ensemble.learners.lightgbm"):
        bare = house.joinpath(*module.split("."))
        source = bare / "__init__.py" if bare.is_dir() else bare.with_suffix(".py")
        text = source.read_text()
        source.write_text(f"# a comment\n{text}\n")
        _forget()
        assert JOB.name(TABLE) == NAME, module
        source.write_text(f"{text}\nCHANGED = 1\n")
        _forget()
        assert JOB.name(TABLE) != NAME, module
        source.write_text(text)


def test_code_that_does_not_fit_is_not_in_it(house: Path) -> None:
    for module in ("blend.py", "jobs/running.py", "learners/catboost.py"):
        with (house / "ensemble" / module).open("a") as stream:
            stream.write("CHANGED = 1\n")
    _forget()
    assert JOB.name(TABLE) == NAME


def test_every_module_that_fitting_reaches_fits_or_is_known_not_to() -> None:
    known = {
        *_FITTING,
        *(learner.__module__ for learner in LEARNERS.values()),  # each job has its own learner's
        "ensemble.jobs",
        "ensemble.jobs.job",
        "ensemble.jobs.running",
        "ensemble.jobs.table",
        "ensemble.learners",
        "ensemble.learners.parameters",  # refuses names, changes none
        "ensemble.quiet",  # hides warnings
    }
    reached = {module for module in modules_behind("ensemble.jobs.fitting") if module.startswith("ensemble.")}
    assert reached <= known


def test_a_learner_of_another_package_is_named_by_its_own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    found = []
    for line in ("pass", "rounds = 2"):
        (tmp_path / "a_learner_elsewhere.py").write_text(
            f"from ensemble.learners import Logistic\n\n\nclass Elsewhere(Logistic):\n    {line}\n"
        )
        monkeypatch.delitem(sys.modules, "a_learner_elsewhere", raising=False)
        importlib.invalidate_caches()
        module = importlib.import_module("a_learner_elsewhere")
        found.append(learner_identity(module.Elsewhere.configured({}))["code"])
    assert len({*found, learner_identity(LEARNERS["logistic"].configured({}))["code"]}) == 3
