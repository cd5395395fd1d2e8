"""Jobs at the same time: their order, their threads, and what one that fails leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from ensemble.side_by_side import MOST, side_by_side


def test_what_jobs_return_comes_in_their_order_however_long_each_takes() -> None:
    def job(number: int) -> Callable[[int], int]:
        def made(threads: int) -> int:
            time.sleep(0.02 * (5 - number))
            return number

        return made

    assert list(side_by_side([job(number) for number in range(5)], threads=4)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("threads", "n_jobs", "each"), [(1, 5, 1), (2, 5, 1), (3, 5, 1), (8, 5, 8 // MOST), (8, 2, 4), (8, 1, 8)]
)
def test_jobs_share_the_threads(threads: int, n_jobs: int, each: int) -> None:
    given = list(side_by_side([lambda own: own] * n_jobs, threads=threads))
    assert given == [each] * n_jobs
    assert min(MOST, threads, n_jobs) * each <= threads


def test_two_jobs_run_at_the_same_time() -> None:
    together = threading.Barrier(2, timeout=30)
    assert sorted(side_by_side([lambda _: together.wait()] * 2, threads=2)) == [0, 1]


def test_the_error_of_a_job_is_raised_and_what_has_not_begun_is_dropped() -> None:
    begun: list[int] = []

    def job(number: int) -> Callable[[int], None]:
        def made(threads: int) -> None:
            begun.append(number)
            if number == 0:
                raise MemoryError("the first")
            time.sleep(0.2)

        return made

    with pytest.raises(MemoryError, match="the first"):
        list(side_by_side([job(number) for number in range(20)], threads=2))
    assert len(begun) < 6


def test_no_jobs_are_no_results() -> None:
    assert list(side_by_side([], threads=2)) == []
