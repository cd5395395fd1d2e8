"""Work at the same time: its order, its threads, and what an error leaves."""

from __future__ import annotations

import threading
import time

import pytest

from ensemble.side_by_side import MOST, side_by_side


def test_what_is_made_comes_in_the_order_of_the_items_however_long_each_takes() -> None:
    def work(number: int, share: int) -> int:
        time.sleep(0.02 * (5 - number))
        return number

    with side_by_side(work, range(5), threads=4) as made:
        assert list(made) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("threads", "n_items", "share"),
    [(1, 5, 1), (2, 5, 1), (3, 5, 1), (6, 5, 2), (8, 5, 8 // MOST), (8, 2, 4), (8, 1, 8), (2, 0, 0)],
)
def test_the_threads_are_shared(threads: int, n_items: int, share: int) -> None:
    with side_by_side(lambda _, own: own, range(n_items), threads=threads) as given:
        assert list(given) == [share] * n_items


def test_two_items_are_worked_on_at_the_same_time() -> None:
    together = threading.Barrier(2, timeout=30)
    with side_by_side(lambda _, share: together.wait(), range(2), threads=2) as made:
        assert sorted(made) == [0, 1]


def test_an_error_of_the_work_is_raised_and_what_has_not_begun_is_dropped() -> None:
    begun: list[int] = []

    def work(number: int, share: int) -> None:
        begun.append(number)
        if number == 0:
            raise MemoryError("the first")
        time.sleep(0.1)

    with pytest.raises(MemoryError, match="the first"), side_by_side(work, range(40), threads=2) as made:
        list(made)
    assert len(begun) < 10


def test_an_error_of_the_caller_ends_the_work_too() -> None:
    begun: list[int] = []

    def work(number: int, share: int) -> int:
        begun.append(number)
        return number

    def caller() -> None:
        with side_by_side(work, range(40), threads=2) as made:
            next(made)
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        caller()
    time.sleep(0.1)
    assert len(begun) < 10
