"""The blend of learners."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, logit

from cv_folds.metrics import partial_auc
from engine.errors import InputError
from ensemble.blend import METHODS, Blend, Method, greedy_weights
from ensemble.fusion import blended_out_of_fold


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
    # odds 1/9 and 9 cancel; 1/4 and 1/9 give 1/6, which is a probability of 1/7
    np.testing.assert_allclose(blend(oof), [0.5, 1 / 7])


def test_scores_of_nought_and_one_are_blended_too() -> None:
    oof = {"a": np.array([0.0, 1.0, 1.0]), "b": np.array([0.5, 0.5, 0.5])}
    blended = Blend.fit(oof)(oof)
    assert blended[0] < 1e-5
    assert blended[1] > 1 - 1e-5
    assert blended[2] == pytest.approx(1 - blended[0])


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
    scores = {name: rng.random(60_000) for name in "ab"}
    margin = 0.9 * logit(scores["a"]) + 0.4 * logit(scores["b"]) - 3
    target = (rng.random(60_000) < expit(margin)).astype(np.int8)
    blend = Blend.fit(scores, target, method="stack")
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
