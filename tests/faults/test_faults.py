"""The small form of the fault drill; `make drill` is the whole one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.damage import FAULTS, damaged
from tests.faults.process import Server
from tests.faults.trials import (
    LOST,
    REFUSED,
    WENT_ON,
    Bench,
    disk,
    disk_full_at_random,
    killed_at_random,
    read_only,
    two_at_once,
)
from tests.faults.world import World

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A cohort without crops, run and scored undisturbed."""
    folder = tmp_path_factory.mktemp("drill")
    with Server() as server:
        world = World(folder / "world", networks=False)
        world.make(server, only=("run", "predict"))
        for name in ("studied", "other"):
            shutil.copytree(world.root / "run", world.root / name)
        yield Bench(server, world, folder)


@pytest.mark.parametrize("part", [0.3, 0.85])
def test_a_run_killed_at_a_random_moment_ends_with_the_same_bits(bench: Bench, part: float) -> None:
    outcome = killed_at_random(bench, bench.world.commands["run"], part)
    assert outcome.verdict == WENT_ON, outcome.why


def test_a_submission_killed_at_a_random_moment_is_the_same_in_the_end(bench: Bench) -> None:
    outcome = killed_at_random(bench, bench.world.commands["predict"], 0.9)
    assert outcome.verdict == WENT_ON, outcome.why


def test_the_second_of_two_runs_names_the_process_of_the_first(bench: Bench) -> None:
    outcome = two_at_once(bench, bench.world.commands["run"])
    assert outcome.verdict == REFUSED, outcome.why
    assert "another process works here (process " in outcome.why


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")
def test_a_full_and_a_read_only_disk_are_said_and_cost_nothing(bench: Bench, tmp_path: Path) -> None:
    run = bench.world.commands["run"]
    try:
        with disk(tmp_path / "disk") as folder:
            small = Bench(bench.server, bench.world, folder)
            outcomes = [disk_full_at_random(small, run, 0.5), read_only(small, run)]
    except subprocess.CalledProcessError:
        pytest.skip("no disk can be mounted here")
    for outcome, words in zip(outcomes, ("no space left on device", "Read-only file system"), strict=True):
        assert outcome.verdict == REFUSED, outcome.why
        assert words in outcome.why


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        *(("results/*", fault) for fault in ("another run's", "cut off")),
        *(("folds.parquet", fault) for fault in FAULTS if fault != "another run's"),
        *(("manifest.json", fault) for fault in FAULTS if fault != "another run's"),
        ("models/manifest.json", "a byte flipped"),
        ("models/xgboost/fold*.ubj", "cut off"),
    ],
)
def test_a_damaged_file_is_made_again_or_refused_and_never_believed(bench: Bench, kind: str, fault: str) -> None:
    outcome = damaged(bench, kind, fault)
    assert outcome.verdict != LOST, outcome.why
