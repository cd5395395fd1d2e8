"""Shares against a plain loop over the same draws, and exact ends against published values."""

from __future__ import annotations

import numpy as np
import pytest

from cv_folds.bootstrap.shares import exact_binomial, shares
from cv_folds.bootstrap.units import Units


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


def test_a_mean_of_shares_is_averaged_draw_by_draw() -> None:
    rng = np.random.Generator(np.random.PCG64(2))
    code = np.repeat(np.arange(40), 5)
    inside, kind = rng.random(200) < 0.6, np.arange(200) % 2
    parts = {"a": (inside, kind == 0), "b": (inside, kind == 1)}
    found = shares(parts, code, means={"both": ("a", "b")}, replicates=400, seed=3)
    weights = next(Units(np.arange(200), code, np.ones(40, np.int64)).draws(3))
    drawn = [
        np.mean([np.average(inside[kind == one], weights=times[code][kind == one]) for one in (0, 1)])
        for times in weights.T
    ]
    whole = shares(parts, code, means={"both": ("a", "b")}, replicates=weights.shape[1], seed=3)["both"]
    assert found["both"]["estimate"] == pytest.approx((found["a"]["estimate"] + found["b"]["estimate"]) / 2)
    assert [whole["low"], whole["high"]] == pytest.approx(np.quantile(drawn, [0.025, 0.975]).tolist())


def test_single_lesions_are_drawn_as_counts_with_the_same_spread() -> None:
    # 50,000 patients of one lesion: four kinds of them, so four units. sqrt(p (1 - p) / n), n of either half.
    half = np.arange(50_000) % 2 == 0
    inside = np.arange(50_000) % 10 < 3
    found = shares({"a": (inside, half), "b": (inside, ~half)}, np.arange(50_000), replicates=4_000, seed=0)
    assert found["a"]["estimate"] == pytest.approx(0.4)
    assert found["a"]["standard_error"] == pytest.approx((0.4 * 0.6 / 25_000) ** 0.5, rel=0.05)
    assert found["b"]["standard_error"] == pytest.approx((0.2 * 0.8 / 25_000) ** 0.5, rel=0.05)


def test_a_mean_of_shares_that_no_draw_changes_has_no_interval() -> None:
    code, every, kind = np.arange(10), np.ones(10, dtype=bool), np.arange(10) % 2
    parts = {"a": (every, kind == 0), "b": (every, kind == 1)}
    both = shares(parts, code, means={"both": ("a", "b")}, replicates=200, seed=0)["both"]
    assert (both["estimate"], both["low"], both["high"], both["replicates"]) == (1, None, None, 0)
