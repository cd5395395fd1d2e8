"""A Ray cluster of three nodes on this machine, for all tests of the engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.executors import RayExecutor

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

#: The least that Ray accepts as a store is 75 MiB.
NODE = {"num_cpus": 1, "object_store_memory": 80 << 20}


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Cluster]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        environment.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)  # where workers find the tasks
        from ray.cluster_utils import Cluster

        head = {"include_dashboard": False, "no_monitor": True, "include_log_monitor": False}
        cluster = Cluster(initialize_head=True, head_node_args=NODE | head)
        for _ in range(2):
            cluster.add_node(wait=False, **NODE)
        cluster.wait_for_nodes(60)
        yield cluster
        cluster.shutdown()


@pytest.fixture(scope="session")
def ray_executor(ray_cluster: Cluster) -> Iterator[RayExecutor]:
    with closing(RayExecutor(ray_cluster.address)) as executor:
        yield executor
