"""A risk as a person would say it: "about 1 in 40"."""

from __future__ import annotations

_RAREST = 10_000
#: Round numbers.
_SMALL, _LARGER = (2, 3, 4, 5, 6, 7, 8, 9), (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)
_ROUND = (*_SMALL, *(step * scale for scale in (1, 10, 100) for step in _LARGER), _RAREST)
_SURE = 20


def risk_in_words(risk: float) -> str:
    """A probability as a natural frequency, suitably rounded.

    Args:
        risk: In [0, 1].
    """
    if risk < 1 / _RAREST:
        return f"less than 1 in {_RAREST:,}"
    if risk > 1 - 1 / _SURE:
        return f"more than {_SURE - 1} in {_SURE}"
    if risk > 0.5 * (1 / 2 + 2 / 3):
        n = _nearest(1 / (1 - risk))
        return f"about {n - 1} in {n}"
    return f"about 1 in {_nearest(1 / risk):,}"


def risk_as_number(risk: float) -> str:
    """The same in per cent, with two significant digits."""
    percent = 100 * risk
    return f"{percent:.2g} %" if percent < 99.5 else "over 99 %"


def _nearest(times: float) -> int:
    """The round number whose inverse is nearest in proportion."""
    return min(_ROUND, key=lambda step: abs(step - times) / min(step, times))
