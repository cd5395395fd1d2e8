"""Contract of executors: order, bounded look-ahead, errors in turn, early stops, the same results everywhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import InputError
from engine.executors import LocalExecutor, open_executor
from engine.executors.mapped import with_arrays_on_disk

sys.path.insert(0, str(Path(__file__).parent))  # other processes take the path over, and find the tasks by name
from executor_tasks import SHARED, add, count_others, fail_at_three, leave_a_file, meet, process_of, refuse

Spread = Callable[..., Iterator[Any]]


@pytest.fixture(params=["threads", "processes", "ray"])
def spread(request: pytest.FixtureRequest) -> Spread:
    """`map` of one kind of executor."""
    if request.param == "ray":
        return request.getfixturevalue("ray_executor").map  # type: ignore[no-any-return]
    return partial(LocalExecutor(2).map, processes=request.param == "processes")


def test_results_come_in_the_order_of_the_items(spread: Spread) -> None:
    found = list(spread(add, SHARED, range(30)))
    assert [value for value, _, _ in found] == [2.0 * item for item in range(30)]
    assert {(name, cores) for _, name, cores in found} == {("ramp", 1)}


def test_nothing_to_do(spread: Spread) -> None:
    assert list(spread(add, SHARED, [])) == []


def test_an_error_is_raised_when_its_turn_comes(spread: Spread) -> None:
    results = spread(fail_at_three, None, range(40))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(MemoryError, match="the third") as caught:
        next(results)
    assert caught.type is MemoryError


@pytest.mark.parametrize("item", [0, 1])
def test_an_error_for_the_user_keeps_what_it_says(spread: Spread, item: int) -> None:
    with pytest.raises(InputError) as here:
        refuse(None, item, 1)
    with pytest.raises(InputError) as caught:
        list(spread(refuse, None, [item, item]))
    assert caught.type is here.type
    assert str(caught.value) == str(here.value)
    assert vars(caught.value) == vars(here.value)


def test_few_items_are_taken_before_their_turn(spread: Spread) -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    results = spread(fail_at_three, None, items(), at_once=2)
    next(results)
    assert len(taken) <= 10
    results.close()  # type: ignore[attr-defined]


def test_what_has_not_begun_is_left_out_where_the_caller_stops(spread: Spread, tmp_path: Path) -> None:
    results = spread(leave_a_file, tmp_path, range(100), at_once=2)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    time.sleep(0.5)
    assert len(list(tmp_path.iterdir())) <= 10


def test_items_run_at_the_same_time(spread: Spread, tmp_path: Path) -> None:
    assert all(spread(meet, tmp_path, range(2), at_once=2))


def test_no_more_items_run_at_the_same_time_than_allowed(tmp_path: Path) -> None:
    assert set(LocalExecutor(3).map(count_others, tmp_path, range(8), at_once=1)) == {1}


@pytest.mark.parametrize("kind", ["processes", "ray"])
def test_other_processes_map_the_arrays_and_cannot_write_to_them(kind: str, request: pytest.FixtureRequest) -> None:
    executor = request.getfixturevalue("ray_executor") if kind == "ray" else LocalExecutor(2)
    found = list(executor.map(process_of, SHARED, range(6), processes=True))
    assert os.getpid() not in {process for process, _ in found}
    assert not any(writeable for _, writeable in found)


def test_fewer_at_once_have_more_cores_each() -> None:
    assert next(LocalExecutor(4).map(add, SHARED, [1], at_once=1))[2] == 4
    assert next(LocalExecutor(5).map(add, SHARED, [1], at_once=2))[2] == 3


def test_this_machine_is_an_executor_by_name() -> None:
    with open_executor("local", cores=2) as executor:
        assert list(executor.map(fail_at_three, None, [1, 2])) == [1, 2]


def test_a_part_of_a_mapped_array_travels_as_a_copy(tmp_path: Path) -> None:
    mapped = with_arrays_on_disk({"a": SHARED.values, "small": np.arange(3)}, tmp_path)
    assert isinstance(mapped["small"], np.ndarray)
    assert mapped["a"].__reduce__()[1] == (mapped["a"].path,)
    part = mapped["a"][10:20]
    rebuilt, arguments, state = part.__reduce__()[:3]
    again = rebuilt(*arguments)
    again.__setstate__(state)
    np.testing.assert_array_equal(again, SHARED.values[10:20])


def test_results_left_alone_may_end_in_a_thread_of_their_own_pool() -> None:
    """Whoever collects an abandoned generator ends it, and that may be a thread that works for it."""
    go, ended = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def task(_shared: None, item: int, _cores: int) -> int:
        if item == 1 and go.wait(20):
            try:
                results.close()  # type: ignore[attr-defined]
            except RuntimeError as error:
                failed.append(error)
            ended.set()
        return item

    results = LocalExecutor(2).map(task, None, range(3))
    assert next(results) == 0
    go.set()
    assert ended.wait(20)
    assert failed == []
