"""How numbers are written on the page: an estimate never without its interval where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNDEFINED = "undefined"
_MINUS = "−"


def estimate(cell: Mapping[str, Any], digits: int = 4, *, percent: bool = False, signed: bool = False) -> str:
    """The estimate alone, such as "0.1652" or "82.5 %"."""
    if cell["estimate"] is None:
        return UNDEFINED
    return _number(cell["estimate"], digits, percent, signed) + (" %" if percent else "")


def ends(cell: Mapping[str, Any], digits: int = 4, *, percent: bool = False, signed: bool = False) -> str:
    """The interval alone, such as "0.1467 to 0.1782", or why there is none."""
    if cell["low"] is None:
        return "too few patients for an interval"
    low, high = (_number(cell[end], digits, percent, signed) for end in ("low", "high"))
    return f"{low} to {high}" + (" %" if percent else "")


def count(value: float) -> str:
    """A count with separators, such as 401,059."""
    return f"{value:,.0f}"


def _number(value: float, digits: int, percent: bool, signed: bool) -> str:
    text = f"{100 * value if percent else value:{'+' if signed else ''}.{digits}f}"
    return text.replace("-", _MINUS)
