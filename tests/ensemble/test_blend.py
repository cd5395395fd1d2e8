"""Quantile maps and the blend."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, logit

from cv_folds.metrics import partial_auc
from engine.errors import InputError
from ensemble.blend import METHODS, Blend, Method, blended_out_of_fold, greedy_weights
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


def signals(n: int = 20_000) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """A strong learner, a weak one, pure noise; the target; a fold."""
    rng = np.random.default_rng(2)
    target = (rng.random(n) < 0.02).astype(np.int8)
    truth = 2.0 * target + rng.normal(size=n)
    oof = {
        "noise": rng.random(n),
        "strong": expit(truth + 0.5 * rng.normal(size=n)),
        "weak": expit(truth + 2.0 * rng.normal(size=n)),
    }
    return oof, target, rng.integers(0, 4, n)


def test_greedy_selection_by_hand() -> None:
    # 5 malignant. a ranks all of them above all benign but one (0.2 - its share), b inverts: a alone is chosen.
    target = np.array([1] * 5 + [0] * 10, np.int8)
    a = np.array([0.9, 0.8, 0.7, 0.6, 0.2, *([0.1] * 9), 0.3])
    weights = greedy_weights({"b": 1 - a, "a": a}, target)
    assert weights == {"b": 0.0, "a": 1.0}


def test_greedy_selection_is_never_worse_than_the_best_alone_and_leaves_noise_out() -> None:
    oof, target, _ = signals()
    blend = Blend.fit(oof, target, method="greedy")
    assert sum(blend.weights.values()) == pytest.approx(1)
    assert blend.weights["noise"] <= 0.1
    assert partial_auc(target, blend(oof)) >= max(partial_auc(target, scores) for scores in oof.values())


def test_the_stack_finds_the_log_odds_it_was_made_from() -> None:
    rng = np.random.default_rng(3)
    levels = {name: (rng.permutation(60_000) + 0.5) / 60_000 for name in "ab"}
    margin = 0.9 * logit(levels["a"]) + 0.4 * logit(levels["b"]) - 3
    target = (rng.random(60_000) < expit(margin)).astype(np.int8)
    blend = Blend.fit(levels, target, method="stack")  # scores that are their own levels
    assert [*blend.weights.values(), blend.intercept] == pytest.approx([0.9, 0.4, -3], abs=0.08)


def test_the_stack_gives_no_learner_a_negative_weight() -> None:
    oof, target, _ = signals()
    weights = Blend.fit({**oof, "inverted": 1 - oof["weak"]}, target, method="stack").weights
    assert weights["inverted"] == 0
    assert weights["strong"] > weights["weak"] > 0


@pytest.mark.parametrize("method", METHODS)
def test_each_method_repeats_its_bits_alone_and_after_json(method: Method) -> None:
    oof, target, _ = signals()
    blend = Blend.fit(oof, target, method=method)
    again = Blend.from_dict(json.loads(json.dumps(blend.as_dict())))
    alone = [again({name: scores[i : i + 1] for name, scores in oof.items()})[0] for i in range(0, 20_000, 97)]
    assert np.array_equal(blend(oof)[::97], alone)
    assert ((blend(oof) >= 0) & (blend(oof) <= 1)).all()


@pytest.mark.parametrize("method", ["greedy", "stack"])
def test_labels_of_a_fold_have_no_say_in_its_blend(method: Method) -> None:
    oof, target, fold = signals(4_000)
    flipped = np.where(fold == 1, np.roll(target, 1), target).astype(np.int8)
    one, other = (blended_out_of_fold(oof, labels, fold, method=method) for labels in (target, flipped))
    assert np.array_equal(one[fold == 1], other[fold == 1])


def test_an_unknown_method_or_a_missing_target_is_refused() -> None:
    oof, target, _ = signals(100)
    with pytest.raises(InputError, match="mean, greedy, stack"):
        Blend.fit(oof, target, method="vote")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="give a target"):
        Blend.fit(oof, method="stack")
