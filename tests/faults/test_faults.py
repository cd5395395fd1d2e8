"""The small form of the fault drill, of a run without crops; `make drill` is the whole one."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.faults.damage import damaged, inflict, kinds
from tests.faults.process import Server
from tests.faults.trials import REFUSED, WENT_ON, Bench, disk, disk_full_at_random, killed_at_random
from tests.faults.world import World, digests


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A cohort without crops, run and scored undisturbed; on a disk of its own where one can be mounted."""
    with ExitStack() as open_ones:
        folder = tmp_path_factory.mktemp("drill")
        with suppress(OSError, subprocess.CalledProcessError):
            folder = open_ones.enter_context(disk(folder / "disk"))
        server = open_ones.enter_context(Server())
        world = World(folder / "world", networks=False)
        world.make(server, only=("run", "predict"))
        for name in ("studied", "other"):
            (world.root / name).symlink_to(world.root / "run")
        yield Bench(server, world, folder)


def test_a_run_killed_at_a_random_moment_ends_with_the_same_bits(bench: Bench) -> None:
    outcome = killed_at_random(bench, bench.world.commands["run"], 6)
    assert outcome.verdict == WENT_ON, outcome.why


def test_a_submission_killed_at_a_random_moment_is_the_same_in_the_end(bench: Bench) -> None:
    outcome = killed_at_random(bench, bench.world.commands["predict"], 18)
    assert outcome.verdict == WENT_ON, outcome.why


def test_a_full_disk_is_said_and_costs_nothing(bench: Bench) -> None:
    if not bench.folder.is_mount():
        pytest.skip("no disk can be mounted here")
    outcome = disk_full_at_random(bench, bench.world.commands["run"], 10)
    assert outcome.verdict == REFUSED, outcome.why
    assert "no space left on device" in outcome.why.lower()


def test_a_byte_flipped_in_every_kind_of_file_is_not_believed_and_made_again(bench: Bench) -> None:
    run, predict = (bench.world.commands[name] for name in ("run", "predict"))
    trial = bench.prepared(predict)
    for kind, path in kinds(trial / "run").items():
        if path.name not in {"manifest.json", "config.toml"}:
            inflict("a byte flipped", trial / "run" / path, trial, random.Random(kind))
    assert bench.server.run(predict.arguments, trial).is_refusal
    for command in (run, predict):
        ended = bench.server.run(command.arguments, trial)
        assert ended.status == 0, ended.stderr
    assert digests(trial / "run") == digests(bench.world.root / "run")
    assert not bench.world.differs(trial, predict)


@pytest.mark.parametrize("kind", ["manifest.json", "models/manifest.json"])
def test_a_byte_flipped_in_a_manifest_is_told(bench: Bench, kind: str) -> None:
    outcome = damaged(bench, kind, "a byte flipped")
    assert outcome.verdict == REFUSED, outcome.why
    assert "manifest.json: the file is not the one the run wrote" in outcome.why
