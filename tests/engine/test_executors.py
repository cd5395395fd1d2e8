"""Contract of executors: order, bounded look-ahead, errors in turn, early stops, the same results everywhere."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.executors import LocalExecutor
from engine.executors.mapped import with_arrays_on_disk

sys.path.insert(0, str(Path(__file__).parent))  # other processes take the path over, and find the tasks by name
from executor_tasks import SHARED, add, fail_at_three, process_of


@pytest.mark.parametrize("processes", [False, True])
def test_results_come_in_the_order_of_the_items(processes: bool) -> None:
    found = list(LocalExecutor(2).map(add, SHARED, range(30), processes=processes))
    assert [value for value, _, _ in found] == [2.0 * item for item in range(30)]
    assert {(name, cores) for _, name, cores in found} == {("ramp", 1)}


def test_fewer_at_once_have_more_cores_each() -> None:
    assert next(LocalExecutor(4).map(add, SHARED, [1], at_once=1))[2] == 4
    assert next(LocalExecutor(5).map(add, SHARED, [1], at_once=2))[2] == 3


def test_processes_are_others_and_map_the_arrays() -> None:
    found = list(LocalExecutor(2).map(process_of, SHARED, range(6), processes=True))
    assert os.getpid() not in {process for process, _ in found}
    assert all(mapped for _, mapped in found)


@pytest.mark.parametrize("processes", [False, True])
def test_an_error_is_raised_when_its_turn_comes(processes: bool) -> None:
    results = LocalExecutor(2).map(fail_at_three, None, range(40), processes=processes)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(MemoryError, match="the third"):
        next(results)


def test_few_items_are_taken_before_their_turn() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    results = LocalExecutor(2).map(fail_at_three, None, items())
    next(results)
    assert len(taken) <= 6
    results.close()  # type: ignore[attr-defined]


def test_items_run_at_the_same_time() -> None:
    together = threading.Barrier(2, timeout=20)
    assert len(list(LocalExecutor(2).map(lambda _s, _i, _c: together.wait(), None, range(2)))) == 2


def test_a_part_of_a_mapped_array_travels_as_a_copy(tmp_path: Path) -> None:
    mapped = with_arrays_on_disk({"a": SHARED.values, "small": np.arange(3)}, tmp_path)
    assert isinstance(mapped["small"], np.ndarray)
    assert mapped["a"].__reduce__()[1] == (mapped["a"].path,)
    part = mapped["a"][10:20]
    rebuilt, arguments, state = part.__reduce__()[:3]
    again = rebuilt(*arguments)
    again.__setstate__(state)
    np.testing.assert_array_equal(again, SHARED.values[10:20])
