"""Tasks of the executors' tests, in a module that other processes can import."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cohort.stores.protocol import CropError
from engine.errors import InputError


@dataclass(frozen=True)
class Shared:
    values: npt.NDArray[np.float64]
    name: str


SHARED = Shared(np.arange(100_000, dtype=np.float64), "ramp")


def add(shared: Shared, item: int, cores: int) -> tuple[float, str, int]:
    return float(shared.values[item]) + item, shared.name, cores


def process_of(shared: Shared, _item: int, _cores: int) -> tuple[int, bool]:
    return os.getpid(), shared.values.flags.writeable


def fail_at_three(_shared: None, item: int, _cores: int) -> int:
    if item == 3:
        raise MemoryError("the third")
    return item


def refuse(_shared: None, item: int, _cores: int) -> None:
    if item:
        raise CropError("ISIC_1", "no JPEG", where="crops.hdf5", remedy="Leave it out")
    raise InputError("no such column", where="table.csv", remedy="Add it")


def leave_a_file(folder: Path, item: int, _cores: int) -> int:
    (folder / str(item)).touch()
    time.sleep(0.1)
    return item


def meet(folder: Path, item: int, _cores: int) -> bool:
    """Whether another item is there at the same time."""
    (folder / str(item)).touch()
    last = time.monotonic() + 30
    while time.monotonic() < last:
        if len(list(folder.iterdir())) > 1:
            return True
        time.sleep(0.01)
    return False


def count_others(folder: Path, item: int, _cores: int) -> int:
    """How many items are worked on in the middle of this one, itself included."""
    mark = folder / str(item)
    mark.touch()
    time.sleep(0.05)
    found = len(list(folder.iterdir()))
    mark.unlink()
    return found


def die_once(folder: Path, item: int, _cores: int) -> npt.NDArray[np.float64]:
    """Kills its own process with items 1 and 5, the first time."""
    mark = folder / str(item)
    if item % 4 == 1 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return _spectrum(item)


def die(_shared: None, _item: int, _cores: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def note_the_node(folder: Path | None, item: int, _cores: int) -> npt.NDArray[np.float64]:
    """Half a megabyte, which stays on the node until it is asked for."""
    if folder:
        import ray

        (folder / ray.get_runtime_context().get_node_id()).touch()
    time.sleep(0.2)
    return _spectrum(item)


def _spectrum(item: int) -> npt.NDArray[np.float64]:
    noise = np.random.default_rng(item).normal(size=(250, 250))
    return np.asarray(noise @ noise.T)
