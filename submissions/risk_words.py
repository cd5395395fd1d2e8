"""A risk as a person says it: "about 1 in 40"."""

from __future__ import annotations

_STEPS = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80)
_RAREST = 10_000
_SURE = 20


def risk_in_words(risk: float) -> str:
    """A probability in natural frequencies, as rounded as it deserves.

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
    steps = (
        *_STEPS,
        *(step * scale for scale in (10, 100, 1_000) for step in (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)),
    )
    known = [step for step in sorted(set(steps)) if step <= _RAREST]
    return min(known, key=lambda step: abs(step - times) / min(step, times))
