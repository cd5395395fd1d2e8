"""Quantile maps and the blend."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ensemble.blend import Blend
from ensemble.quantile_map import QuantileMap


def test_levels_are_mid_ranks_with_ties_counted_half() -> None:
    # 0.2 0.4 0.4 0.9: levels (0 + 0.5)/4, (1 + 1)/4, (3 + 0.5)/4
    fitted = QuantileMap.fit(np.array([0.4, 0.9, 0.2, 0.4]))
    np.testing.assert_allclose(fitted(np.array([0.2, 0.4, 0.9])), [0.125, 0.5, 0.875], rtol=0, atol=1e-15)


def test_between_and_beyond_the_knots_it_is_linear_to_zero_and_one() -> None:
    fitted = QuantileMap.fit(np.array([0.2, 0.4]))  # levels 0.25 and 0.75
    np.testing.assert_allclose(fitted(np.array([0.0, 0.1, 0.3, 0.7, 1.0])), [0, 0.125, 0.5, 0.875, 1], atol=1e-15)


def test_keeps_the_order_of_scores_and_hardly_moves_a_level() -> None:
    rng = np.random.default_rng(0)
    scores = rng.beta(0.3, 30, 50_000)
    fitted = QuantileMap.fit(scores)
    assert len(fitted.scores) <= 2003
    order = np.argsort(scores)
    assert (np.diff(fitted(scores[order])) > 0).all()
    exact = (np.arange(50_000) + 0.5) / 50_000
    assert np.abs(fitted(scores[order]) - exact).max() < 2e-3
    assert np.abs(fitted(scores[order]) - exact)[-500:].max() < 2e-4  # the top percent, where pAUC is decided


@pytest.mark.parametrize("scores", [np.full(5, 0.3), np.array([0.7]), np.array([0.0, 1.0, 1.0]), np.array([0.0, 0.0])])
def test_few_or_equal_scores_are_mapped_all_the_same(scores: np.ndarray) -> None:
    levels = QuantileMap.fit(scores)(np.linspace(0, 1, 11))
    assert (np.diff(levels) > 0).all()
    assert levels[0] == 0
    assert levels[-1] == 1


def test_a_lesion_alone_gets_the_bits_of_the_batch_also_after_json() -> None:
    rng = np.random.default_rng(1)
    oof = {"a": rng.random(9_000), "b": rng.beta(0.5, 9, 9_000), "c": rng.beta(2, 5, 9_000)}
    blend = Blend.fit(oof)
    batch = blend(oof)
    again = Blend.from_dict(json.loads(json.dumps(blend.as_dict())))
    alone = [again({name: scores[i : i + 1] for name, scores in oof.items()})[0] for i in range(0, 9_000, 37)]
    assert np.array_equal(batch[::37], alone)


def test_weights_are_equal() -> None:
    oof = {"a": np.array([0.1, 0.2]), "b": np.array([0.9, 0.1])}
    blend = Blend.fit(oof)
    assert blend.weights == {"a": 0.5, "b": 0.5}
    np.testing.assert_allclose(blend(oof), [0.5, 0.5])  # levels 0.25, 0.75 and 0.75, 0.25
