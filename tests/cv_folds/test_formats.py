"""Figures as a reader sees them: the same words wherever an estimate is shown."""

import math
from typing import Any

import pytest

from cv_folds.bootstrap import Difference, Interval
from cv_folds.formats import count, difference, ends, estimate, verdict, with_interval

CELL = Interval(0.16154, 0.1512, 0.17012, 0.005, 0.95).as_dict()
NO_INTERVAL = Interval(0.5, math.nan, math.nan, math.nan, 0.95).as_dict()
NOTHING = Interval(math.nan, math.nan, math.nan, math.nan, 0.95).as_dict()


def test_an_estimate_is_written_with_its_interval() -> None:
    assert with_interval(CELL) == "0.1615 (0.1512 to 0.1701)"
    assert with_interval(CELL, 1, percent=True) == "16.2 % (15.1 to 17.0 %)"
    assert (estimate(CELL, 2), ends(CELL, 2)) == ("0.16", "0.15 to 0.17")
    assert with_interval({"estimate": 12.34, "low": 9.0, "high": 20.0}, 1) == "12.3 (9.0 to 20.0)"
    assert count(401_059) == "401,059"


def test_what_is_missing_is_said_in_words() -> None:
    assert with_interval(NO_INTERVAL) == "0.5000 (too few patients for an interval)"
    assert with_interval(NOTHING) == "undefined"


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (-0.001, 0.005, "+0.0020 (-0.0010 to +0.0050), not distinguishable"),
        (0.0, 0.005, "+0.0020 (+0.0000 to +0.0050), not distinguishable"),
        (0.001, 0.005, "+0.0020 (+0.0010 to +0.0050)"),
        (math.nan, math.nan, "+0.0020 (too few patients for an interval)"),
    ],
)
def test_a_difference_is_signed_and_says_when_it_is_none(low: float, high: float, shown: str) -> None:
    cell: dict[str, Any] = Difference(0.002, low, high, 0.001, 0.95).as_dict()
    assert difference(cell) == shown
    assert shown.endswith(verdict(cell))
