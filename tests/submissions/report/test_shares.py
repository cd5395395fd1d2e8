"""Shares against a plain loop over the same draws, and exact ends against published values."""

from __future__ import annotations

import numpy as np
import pytest

from cv_folds.bootstrap.units import Units
from submissions.report.shares import exact_binomial, shares


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    # Upper end of 0 of 10: 1 - 0.025^(1/10) = 0.3085; 5 of 10: the textbook's 0.1871 to 0.8129.
    [(0, 10, 0.0, 1 - 0.025**0.1), (10, 10, 0.025**0.1, 1.0), (5, 10, 0.1871, 0.8129)],
)
def test_exact_binomial(part: int, whole: int, low: float, high: float) -> None:
    assert exact_binomial(part, whole) == pytest.approx((low, high), abs=5e-5)


def test_against_a_loop() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    code = np.sort(np.concatenate([np.arange(12), rng.integers(0, 12, 200)]))
    inside, counted = rng.random(code.size) < 0.4, rng.random(code.size) < 0.7
    found = shares({"a": (inside, counted)}, code, replicates=300, seed=5)["a"]
    drawn: list[float] = []
    for weights in Units(np.arange(code.size), code, np.ones(12, np.int64)).draws(5):
        for times in weights.T:
            part = sum(times[c] for c, i, n in zip(code, inside, counted, strict=True) if i and n)
            drawn.append(part / sum(times[c] for c, n in zip(code, counted, strict=True) if n))
        if len(drawn) >= 300:
            break
    assert found["estimate"] == pytest.approx((inside & counted).sum() / counted.sum())
    assert [found["low"], found["high"]] == pytest.approx(np.quantile(drawn[:300], [0.025, 0.975]).tolist())
    assert found["method"] == "percentile"


def test_all_or_none_has_exact_ends_and_nothing_counted_has_none() -> None:
    code, every, none = np.arange(10), np.ones(10, dtype=bool), np.zeros(10, dtype=bool)
    found = shares({"all": (every, every), "none": (none, every), "empty": (every, none)}, code, replicates=100, seed=0)
    assert (found["all"]["estimate"], found["all"]["high"], found["all"]["method"]) == (1, 1, "exact binomial")
    assert found["none"]["high"] == pytest.approx(1 - 0.025**0.1)
    assert found["empty"]["estimate"] is None
    assert found["empty"]["low"] is None
