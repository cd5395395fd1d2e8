"""Exchange rates, by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from ensemble.blend import Blend
from ensemble.explanation.chain import Floats, blend_rates, probability_rate
from ensemble.quantile_map import QuantileMap

MAPS = {"a": QuantileMap((0.0, 0.5, 1.0), (0.0, 0.9, 1.0)), "b": QuantileMap((0.0, 1.0), (0.0, 1.0))}
SCORES = {"a": np.array([0.75]), "b": np.array([0.6])}
BASE = {"a": np.array([0.25]), "b": np.array([0.1])}


def test_the_rate_of_a_probability_is_the_secant() -> None:
    # log odds -ln 3 and 0 are probabilities 1/4 and 1/2
    rate = probability_rate(np.array([0.0]), np.array([-np.log(3)]))
    assert rate[0] == pytest.approx(0.25 / np.log(3), abs=1e-15)


def test_where_nothing_moves_the_rate_is_the_tangent() -> None:
    still = probability_rate(np.array([0.0, 0.0]), np.array([0.0, 1e-7]))
    np.testing.assert_allclose(still, 0.25, rtol=0, atol=1e-12)  # p (1 - p) at one half
    near, far = probability_rate(np.array([2.0, 2.0]), np.array([2 - 0.999e-6, 2 - 1.001e-6]))
    assert near == pytest.approx(far, rel=1e-6)


def test_a_mean_of_levels_gives_each_learner_its_weight_times_its_rise() -> None:
    rates = blend_rates(Blend(MAPS, {"a": 0.75, "b": 0.25}), SCORES, BASE)
    # a: levels 0.95 and 0.45, so 0.75 x 0.5 over a move of 0.5; b: levels are scores
    assert rates["a"][0] == pytest.approx(0.75, abs=1e-12)
    assert rates["b"][0] == pytest.approx(0.25, abs=1e-12)


@pytest.mark.parametrize("blend", [Blend(MAPS, {"a": 1.5, "b": 0.7}, "stack", -0.3)])
def test_a_stack_is_shared_out_whole(blend: Blend) -> None:
    rates = blend_rates(blend, SCORES, BASE)
    moved = sum(rates[name] * (SCORES[name] - BASE[name]) for name in SCORES)
    assert moved == pytest.approx(blend(SCORES) - blend(BASE), abs=1e-12)
    # by hand for two learners: half the gain when a comes first, half when b comes first
    first = blend({"a": SCORES["a"], "b": BASE["b"]}) - blend(BASE)
    last = blend(SCORES) - blend({"a": BASE["a"], "b": SCORES["b"]})
    assert rates["a"] * 0.5 == pytest.approx((first + last) / 2, abs=1e-12)


def test_a_learner_at_its_base_has_the_rate_of_the_nearest_rise() -> None:
    def product(scores: Mapping[str, Floats]) -> Floats:
        return scores["a"] * scores["b"]

    rates = blend_rates(product, {**BASE, "b": SCORES["b"]}, BASE)
    assert rates["a"][0] == pytest.approx((0.1 + 0.6) / 2, rel=1e-6)
