"""How figures are written on a terminal, in a picture or on a page: never without their interval, if there is one.

A cell is an `Interval` or `Difference` as `as_dict` gives it: estimate, low and high, and for a difference
`distinguishable`; None stands for what is undefined.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Cell = Mapping[str, Any]

UNDEFINED = "undefined"
TOO_FEW = "too few patients for an interval"
NOT_DISTINGUISHABLE = "not distinguishable"


def estimate(cell: Cell, digits: int = 4, *, percent: bool = False, signed: bool = False) -> str:
    """The estimate alone, such as "0.1652" or "82.5 %"."""
    if cell["estimate"] is None:
        return UNDEFINED
    return _number(cell["estimate"], digits, percent, signed) + (" %" if percent else "")


def ends(cell: Cell, digits: int = 4, *, percent: bool = False, signed: bool = False) -> str:
    """The interval alone, such as "0.1467 to 0.1782", or why there is none."""
    if cell["low"] is None:
        return TOO_FEW
    low, high = (_number(cell[end], digits, percent, signed) for end in ("low", "high"))
    return f"{low} to {high}" + (" %" if percent else "")


def with_interval(cell: Cell, digits: int = 4, *, percent: bool = False, signed: bool = False) -> str:
    """Estimate and interval, such as "0.1652 (0.1467 to 0.1782)"."""
    alone = estimate(cell, digits, percent=percent, signed=signed)
    return alone if alone == UNDEFINED else f"{alone} ({ends(cell, digits, percent=percent, signed=signed)})"


def difference(cell: Cell, digits: int = 4) -> str:
    """A difference with its sign, its interval and, if the interval covers 0, a note that it does."""
    found = verdict(cell)
    return with_interval(cell, digits, signed=True) + (f", {found}" if found else "")


def verdict(cell: Cell) -> str:
    """What to say about a difference: that its interval covers 0, or nothing."""
    return "" if cell["distinguishable"] or cell["low"] is None else NOT_DISTINGUISHABLE


def count(value: float) -> str:
    """A count with separators, such as 401,059."""
    return f"{value:,.0f}"


def _number(value: float, digits: int, percent: bool, signed: bool) -> str:
    return f"{100 * value if percent else value:{'+' if signed else ''}.{digits}f}"
