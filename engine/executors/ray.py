"""Work on a Ray cluster: data in its object store, one task per item, tasks of lost workers rerun."""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from threadpoolctl import threadpool_limits

from engine.errors import InputError
from engine.executors.protocol import Item, Result, Shared, Task

#: How often a task is rerun because its worker or node was lost. A task that raises is never rerun.
_RETRIES = 3

#: Settings that Ray reads when it is imported or started: no usage statistics are sent, and a task that asks for
#: no GPU sees the machine as it is.
_SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}

#: Thread settings of this process that workers on every node take over; workers of this machine have them anyway.
_THREADS = ("OMP_WAIT_POLICY", "POLARS_MAX_THREADS")

_logger = logging.getLogger(__name__)


class RayExecutor:
    """A Ray cluster: one that is joined, or one started on this machine and stopped when the executor is closed.

    Every node needs this package at the same version, and must see files under the same paths. Arrays arrive read-only.
    A process has one connection: if Ray is already connected, that connection is used and left open.
    """

    def __init__(self, address: str | None = None, cores: int | None = None) -> None:
        """Connect.

        Args:
            address: `host:port` of a running cluster, `auto` for the one on this machine; None starts one.
            cores: CPU cores of all tasks together; None for all that the cluster has, as nodes come and go.

        Raises:
            InputError: Ray is not installed, or no cluster answers at the address.
        """
        self._ray = _imported()
        self._most_cores = cores
        self._opened = not self._ray.is_initialized()
        if self._opened:
            _connect(self._ray, address, cores)
        elif address not in (None, "auto", self._ray.get_runtime_context().gcs_address):
            raise InputError(
                "this process is connected to another Ray cluster",
                where=f"address {address}",
                remedy="Call ray.shutdown() first, or leave the address out",
            )

    def close(self) -> None:
        """Leave the cluster, and stop it if it was started here."""
        if self._opened:
            self._ray.shutdown()
            self._opened = False

    @property
    def cores(self) -> int:
        """CPU cores of all tasks together, 1 or more."""
        return self._cores_of(self._nodes())

    def map(
        self,
        task: Task[Shared, Item, Result],
        shared: Shared,
        items: Iterable[Item],
        *,
        at_once: int | None = None,
        processes: bool = False,  # noqa: ARG002 - every task has a process of its own
        gpus: float = 0.0,
    ) -> Iterator[Result]:
        """See `Executor.map`.

        A node that joins is used from the next item on. A cluster without GPUs does everything on its CPUs.

        Raises:
            InputError: Workers or nodes were lost too many times on the same item.
        """
        handed_out = self._ray.put(shared)
        run = self._ray.remote(_run)

        def start(item: Item, places: Places) -> Any:  # noqa: ANN401 - a reference of Ray
            return run.options(
                num_cpus=places.cores, num_gpus=places.gpus, max_retries=_RETRIES, scheduling_strategy="SPREAD"
            ).remote(task, handed_out, item, places.cores)

        return self._in_turn(start, items, lambda: self._places(at_once, gpus))

    def _in_turn(
        self, start: Callable[[Item, Places], Any], items: Iterable[Item], places_now: Callable[[], Places]
    ) -> Iterator[Any]:
        """Results in the order of the items; twice as many as there are places are taken before their turn."""
        waiting: deque[Any] = deque()
        running: set[Any] = set()
        try:
            for item in items:
                places = places_now()
                while len(running) >= places.number or len(waiting) > 2 * places.number:
                    # If many have finished before their turn, only the first is worth waiting for.
                    awaited = list(running) if len(waiting) <= 2 * places.number else [waiting[0]]
                    running -= set(self._ray.wait(awaited)[0])
                    while waiting and waiting[0] not in running:
                        yield self._result(waiting.popleft())
                    places = places_now()
                waiting.append(start(item, places))
                running.add(waiting[-1])
            while waiting:
                yield self._result(waiting.popleft())
        finally:
            for reference in waiting:
                self._ray.cancel(reference)

    def _result(self, reference: Any) -> Any:  # noqa: ANN401
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as failure:
            raise failure.cause from failure
        except self._ray.exceptions.RayError as failure:
            raise InputError(
                f"an item was given up: {failure}",
                where="the Ray cluster",
                remedy="See to the memory and the health of its nodes and run again; what is finished is kept",
            ) from failure

    def _nodes(self) -> list[tuple[int, float]]:
        """CPU cores and GPUs of every node that is alive and takes tasks."""
        alive = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        return [(int(node["CPU"]), float(node.get("GPU", 0))) for node in alive if node.get("CPU", 0) >= 1]

    def _cores_of(self, nodes: list[tuple[int, float]]) -> int:
        cores = sum(cpus for cpus, _ in nodes)
        return max(1, min(self._most_cores or cores, cores))

    def _places(self, at_once: int | None, gpus: float) -> Places:
        nodes = self._nodes()
        if not nodes:
            _logger.warning("no node of the Ray cluster has a CPU for tasks; waiting for one")
        gpus = gpus if any(held >= gpus for _, held in nodes) else 0.0
        return places_of(nodes, self._cores_of(nodes), at_once, gpus)


@dataclass(frozen=True)
class Places:
    """Room for tasks: how many at the same time, and what each of them takes."""

    number: int
    cores: int
    gpus: float


def places_of(nodes: Sequence[tuple[int, float]], cores: int, at_once: int | None, gpus: float) -> Places:
    """How tasks fit on nodes.

    Args:
        nodes: CPU cores and GPUs of each.
        cores: Cores of all tasks together, 1 or more.
        at_once: Most tasks at the same time on each node; None for as many as it has cores.
        gpus: GPUs of each task.

    Returns:
        Places of one size, set by the node where they are smallest, so that any node with enough GPUs can take over
        the tasks of a lost one.
    """
    usable = [
        (cpus, min(at_once or cpus, cpus, int(held / gpus) if gpus else cpus)) for cpus, held in nodes if held >= gpus
    ]
    number = max(1, min(cores, sum(here for _, here in usable)))
    return Places(number, min([-(-cores // number), *(cpus // here for cpus, here in usable)]), gpus)


def _run(task: Task[Shared, Item, Result], shared: Shared, item: Item, cores: int) -> Result:
    with threadpool_limits(1, user_api="blas"):  # as on one machine, so that the bits are the same
        return task(shared, item, cores)


def _imported() -> Any:  # noqa: ANN401 - Ray is not installed everywhere
    os.environ.update(_SETTINGS)
    try:
        import ray  # noqa: PLC0415 - heavy, and not installed everywhere
    except ImportError as error:
        raise InputError("Ray is not installed", where="engine", remedy="Install it with: pip install ray") from error
    return ray


def _connect(ray: Any, address: str | None, cores: int | None) -> None:  # noqa: ANN401
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address is None:
        ray.init("local", num_cpus=cores, include_dashboard=False, **quiet)
        return
    threads = {name: os.environ[name] for name in _THREADS if name in os.environ}
    try:
        if address != "auto":
            _reach(address)  # Ray alone would try for minutes
        ray.init(address, runtime_env={"env_vars": threads}, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(
            f"no Ray cluster can be joined: {error}",
            where=f"address {address}",
            remedy="Start one with `ray start --head`, of the same Python and Ray, and give its host:port",
        ) from error


def _reach(address: str) -> None:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10):
        pass
