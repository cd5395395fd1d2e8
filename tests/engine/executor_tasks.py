"""Tasks of the executors' tests, in a module that other processes can import."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Shared:
    values: npt.NDArray[np.float64]
    name: str


SHARED = Shared(np.arange(100_000, dtype=np.float64), "ramp")


def add(shared: Shared, item: int, cores: int) -> tuple[float, str, int]:
    return float(shared.values[item]) + item, shared.name, cores


def process_of(_shared: Shared, _item: int, _cores: int) -> tuple[int, bool]:
    return os.getpid(), type(_shared.values).__name__ == "_MappedArray"


def fail_at_three(_shared: None, item: int, _cores: int) -> int:
    if item == 3:
        raise MemoryError("the third")
    return item
