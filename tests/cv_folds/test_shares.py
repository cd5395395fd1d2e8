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


@pytest.mark.parametrize("is_right", [False, True])
def test_a_mean_with_a_share_of_all_or_none_has_no_interval(is_right: bool) -> None:
    # One rare lesion: its share is 0 or 1 in every draw, so the draws would leave out how much chance it is.
    code = np.arange(300)
    right, rare = np.where(code == 0, is_right, code % 3 > 0), code == 0
    parts = {"common": (right, ~rare), "rare": (right, rare)}
    both = shares(parts, code, means={"both": ("common", "rare")}, replicates=500, seed=0)["both"]
    assert both["estimate"] == pytest.approx((right[1:].mean() + is_right) / 2)
    assert (both["low"], both["high"], both["replicates"]) == (None, None, 0)


def test_a_mean_has_an_interval_if_most_draws_hold_each_of_its_shares() -> None:
    # A patient is in 1 - (1 - 1/n)^n of the draws, about 0.63; three of them all in 0.25.
    code, three = np.append(np.repeat([0, 1, 2], 2), np.arange(3, 300)), np.arange(6) // 2
    inside = np.append([0, 1] * 3, np.arange(297) % 2).astype(bool)
    kind = np.append(three, np.full(297, 3))
    parts = {str(one): (inside, kind == one) for one in range(4)}
    means = {"two": ("0", "3"), "four": ("0", "1", "2", "3")}
    found = shares(parts, code, means=means, replicates=500, seed=0)
    assert found["two"]["replicates"] == pytest.approx(0.63 * 500, rel=0.1)
    assert found["two"]["redrawn"] == 500 - found["two"]["replicates"]
    assert found["four"]["low"] is None
    assert found["0"]["low"] is None  # one patient: the same in every draw that has it


def test_patients_of_one_and_of_several_lesions_together() -> None:
    rng = np.random.Generator(np.random.PCG64(6))
    code = np.append(np.arange(4_000), np.repeat(np.arange(4_000, 4_050), 20))
    kind = rng.integers(0, 2, 4_050)[code]
    inside = rng.random(code.size) < np.where(code < 4_000, 0.5, (rng.random(4_050) < 0.7)[code])
    found = shares({"a": (inside, kind == 0)}, code, replicates=3_000, seed=0)["a"]
    each = np.arange(code.size)
    assert Units.of(code, [np.where(kind == 0, inside.astype(np.int64), -1)]).size < 100
    stream = Units(each, code, np.ones(4_050, np.int64)).draws(1)
    drawn: list[float] = []
    while len(drawn) < 1_500:
        weights = next(stream)[code[kind == 0]]
        drawn.extend((weights * inside[kind == 0, np.newaxis]).sum(axis=0) / weights.sum(axis=0))
    assert found["estimate"] == pytest.approx(inside[kind == 0].mean())
    assert found["standard_error"] == pytest.approx(np.std(drawn), rel=0.07)
