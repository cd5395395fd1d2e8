"""Late fusion: each kind of learner blended by itself, then joined for what it earns."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit

from cv_folds.metrics import partial_auc
from engine.errors import InputError
from ensemble.blend import METHODS, Blend, Method
from ensemble.fusion import Fusion, blended_out_of_fold, fit_blend, read_blend

CHANCE = np.random.default_rng(4)
TARGET = (CHANCE.random(6_000) < 0.1).astype(np.int8)
FOLD = CHANCE.integers(5, size=TARGET.size).astype(np.int8)


def scored(signal: float, *, spread: float = 1.0) -> np.ndarray:
    """Scores that tell the target by so many standard deviations, as confident as `spread` makes them."""
    return expit(spread * (signal * TARGET + CHANCE.normal(size=TARGET.size)) - 2.0)


OOF = {"a": scored(1.5), "b": scored(1.5), "crops": scored(1.5, spread=3.0)}


def test_without_learners_of_both_kinds_it_is_the_blend_as_it_was() -> None:
    for images in ((), ("other",), tuple(OOF)):
        assert fit_blend(OOF, TARGET, method="stack", images=images) == Blend.fit(OOF, TARGET, method="stack")
        found = blended_out_of_fold(OOF, TARGET, FOLD, method="mean", images=images)
        assert np.array_equal(found, Blend.fit(OOF)(OOF))
    assert fit_blend(OOF, None, method="mean") == Blend.fit(OOF)


@pytest.mark.parametrize("method", METHODS)
def test_it_beats_both_kinds_and_the_blend_that_treats_them_alike(method: Method) -> None:
    fused = partial_auc(TARGET, blended_out_of_fold(OOF, TARGET, FOLD, method=method, images=["crops"]))
    table = partial_auc(TARGET, blended_out_of_fold({"a": OOF["a"], "b": OOF["b"]}, TARGET, FOLD, method=method))
    assert fused > table + 0.005
    assert fused > partial_auc(TARGET, OOF["crops"]) + 0.01


def test_images_that_know_nothing_change_next_to_nothing() -> None:
    noise = {**OOF, "crops": CHANCE.random(TARGET.size)}
    fused = blended_out_of_fold(noise, TARGET, FOLD, method="mean", images=["crops"])
    table = blended_out_of_fold({"a": OOF["a"], "b": OOF["b"]}, TARGET, FOLD, method="mean")
    assert partial_auc(TARGET, fused) == pytest.approx(partial_auc(TARGET, table), abs=0.002)
    inverted = fit_blend({**OOF, "crops": 1 - OOF["crops"]}, TARGET, method="mean", images=["crops"])
    assert inverted.weights["crops"] == 0.0
    assert inverted.weights["a"] == inverted.weights["b"] == 0.5


def test_how_confident_an_image_model_is_does_not_matter() -> None:
    odds = np.log(OOF["crops"] / (1 - OOF["crops"]))
    timid = {**OOF, "crops": expit(0.5 * odds)}
    fitted, other = (fit_blend(oof, TARGET, method="mean", images=["crops"]) for oof in (OOF, timid))
    assert other.weights["crops"] > fitted.weights["crops"]
    assert other(timid) == pytest.approx(fitted(OOF), abs=0.02)


def test_no_label_of_a_fold_has_a_say_in_its_own_scores() -> None:
    flipped = np.where(FOLD == 2, 1 - TARGET, TARGET).astype(np.int8)
    one, other = (
        blended_out_of_fold(OOF, labels, FOLD, method="greedy", images=["crops"]) for labels in (TARGET, flipped)
    )
    assert np.array_equal(one[FOLD == 2], other[FOLD == 2])
    assert not np.array_equal(one[FOLD != 2], other[FOLD != 2])


def test_json_reads_back_to_the_same_bits_for_one_lesion_and_for_many() -> None:
    fitted = fit_blend(OOF, TARGET, method="stack", images=["crops"])
    assert isinstance(fitted, Fusion)
    read = read_blend(json.loads(json.dumps(fitted.as_dict())))
    whole = fitted(OOF)
    assert np.array_equal(read(OOF), whole)
    assert read({name: scores[7:8] for name, scores in OOF.items()})[0] == whole[7]
    plain = Blend.fit(OOF)
    assert read_blend(json.loads(json.dumps(plain.as_dict()))) == plain
    assert list(fitted.weights) == list(OOF)


def test_without_a_target_there_is_nothing_to_learn_from() -> None:
    with pytest.raises(InputError, match="learns its weights from labels"):
        fit_blend(OOF, None, method="mean", images=["crops"])
