"""A cluster of three nodes: the same results as on one machine, whatever is lost on the way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.errors import InputError
from engine.executors import LocalExecutor, RayExecutor, open_executor
from engine.executors.ray import Places, places_of

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

sys.path.insert(0, str(Path(__file__).parent))
from conftest import NODE
from executor_tasks import die, die_once, fail_at_three, note_the_node


def on_one_machine(items: int) -> list[Any]:
    return list(LocalExecutor(2).map(note_the_node, None, range(items)))


def test_the_whole_cluster_works(ray_executor: RayExecutor, tmp_path: Path) -> None:
    assert ray_executor.cores == 3
    found = list(ray_executor.map(note_the_node, tmp_path, range(9)))
    assert len(list(tmp_path.iterdir())) == 3
    np.testing.assert_array_equal(found, on_one_machine(9))


def test_killed_workers_are_replaced(ray_executor: RayExecutor, tmp_path: Path) -> None:
    found = list(ray_executor.map(die_once, tmp_path, range(8)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "5"]
    np.testing.assert_array_equal(found, on_one_machine(8))


def test_an_item_that_kills_every_worker_is_given_up(ray_executor: RayExecutor) -> None:
    with pytest.raises(InputError, match="an item was given up"):
        list(ray_executor.map(die, None, [0]))


def test_a_node_is_lost_and_another_joins(ray_cluster: Cluster, ray_executor: RayExecutor, tmp_path: Path) -> None:
    lost = next(iter(ray_cluster.worker_nodes))
    joined = ""

    def items() -> Iterator[int]:
        for item in range(400):
            if joined and (tmp_path / joined).exists():
                return
            yield item

    results = ray_executor.map(note_the_node, tmp_path, items())
    found = [next(results)]
    while not (tmp_path / lost.node_id).exists():
        found.append(next(results))
    ray_cluster.remove_node(lost, allow_graceful=False)
    joined = ray_cluster.add_node(wait=False, **NODE).node_id
    found.extend(results)
    assert (tmp_path / joined).exists()
    np.testing.assert_array_equal(found, on_one_machine(len(found)))


def test_tasks_fit_on_nodes() -> None:
    three = [(8, 0.0)] * 3
    assert places_of(three, 24, None, 0) == Places(24, 1, 0)
    assert places_of(three, 24, 1, 0) == Places(3, 8, 0)  # not 24 cores: no node has as many
    assert places_of(three, 24, 3, 0) == Places(9, 2, 0)
    assert places_of(three, 4, 2, 0) == Places(4, 1, 0)  # no more than 4 cores were asked for
    assert places_of([(64, 0.0), (4, 0.0)], 68, 2, 0) == Places(4, 2, 0)  # the small node can take over
    assert places_of([], 1, None, 0) == Places(1, 1, 0)


def test_networks_share_the_cores_of_nodes_with_gpus() -> None:
    assert places_of([(32, 8.0), (64, 0.0)], 96, None, 1) == Places(8, 4, 1)
    assert places_of([(32, 8.0)], 32, None, 0.5) == Places(16, 2, 0.5)


def test_another_cluster_than_the_connected_one_is_refused(ray_executor: RayExecutor) -> None:
    with pytest.raises(InputError, match="connected to another Ray cluster"):
        RayExecutor("127.0.0.1:1")


def test_a_second_executor_uses_the_connection_and_leaves_it_open(ray_executor: RayExecutor) -> None:
    with closing(RayExecutor("auto", 2)) as second:
        assert second.cores == 2
    assert list(ray_executor.map(fail_at_three, None, [1])) == [1]


ALONE = """
import sys
from engine.errors import InputError
from engine.executors import RayExecutor, open_executor
from executor_tasks import SHARED, add
try:
    RayExecutor("127.0.0.1:1")
except InputError as error:
    print(error)
with open_executor("ray", cores=2) as executor:
    print(executor.cores, list(executor.map(add, SHARED, [3, 4], at_once=1)))
import ray
print(ray.is_initialized())
"""


def test_a_cluster_is_started_here_and_stopped_again() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    refused, found, left = done.stdout.splitlines()
    assert refused.startswith("address 127.0.0.1:1: no Ray cluster can be joined: ")
    assert found == "2 [(6.0, 'ramp', 2), (8.0, 'ramp', 2)]"
    assert left == "False"
    assert not done.stderr


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match="pip install ray"), open_executor("ray", cores=1):
        pass
