"""Other ways to compute a partial area, against scikit-learn and the range that each is said to have."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from cv_folds.metrics.mistaken import VARIANTS, matching, quoted, variants
from engine.errors import InputError

CHANCE = np.random.default_rng(3)
TARGET = (CHANCE.random(3_000) < 0.05).astype(np.int8)
SCORE = np.round(CHANCE.normal(size=TARGET.size) + 1.4 * TARGET, 2)
FOLD = CHANCE.integers(5, size=TARGET.size)
FOUND = variants(TARGET, SCORE, FOLD)


def area(target: np.ndarray, score: np.ndarray, most: float = 0.2) -> float:
    """scikit-learn's area above a sensitivity of 1 - `most`: its standardisation after McClish undone."""
    return undone(roc_auc_score(1 - target, -score, max_fpr=most), most)


def undone(standardised: float, most: float = 0.2) -> float:
    return most**2 / 2 + (2 * standardised - 1) * (most - most**2 / 2)


def test_each_variant_is_what_scikit_learn_gives() -> None:
    ranks = np.empty(TARGET.size)
    for fold in range(5):
        ranks[fold == FOLD] = (rankdata(SCORE[fold == FOLD]) - 0.5) / (fold == FOLD).sum()
    expected = {
        "pAUC above 80 % sensitivity": area(TARGET, SCORE),
        "as a share of 0.2": area(TARGET, SCORE) / 0.2,
        "standardised after McClish": roc_auc_score(1 - TARGET, -SCORE, max_fpr=0.2),
        "false positive rate up to 20 %, standardised": roc_auc_score(TARGET, SCORE, max_fpr=0.2),
        "false positive rate up to 20 %": undone(roc_auc_score(TARGET, SCORE, max_fpr=0.2)),
        "pAUC above 88 % sensitivity": area(TARGET, SCORE, 0.12),
        "AUC": roc_auc_score(TARGET, SCORE),
        "of scores in single precision": area(TARGET, SCORE.astype(np.float32)),
        "of turned scores": area(TARGET, -SCORE),
        "of ranks within folds": area(TARGET, ranks),
        "mean over folds": np.mean([area(TARGET[fold == FOLD], SCORE[fold == FOLD]) for fold in range(5)]),
    }
    assert pytest.approx(expected, abs=1e-9) == FOUND


def test_a_constant_and_a_perfect_score_have_what_is_said() -> None:
    constant, perfect = (variants(TARGET, score, FOLD) for score in (np.zeros(TARGET.size), TARGET.astype(np.float64)))
    for variant in VARIANTS:
        said = [float(number) for number in re.findall(r"[\d.]*\d", variant.meaning.rpartition(":")[2])]
        if variant.name == "of turned scores":
            assert (constant[variant.name], perfect[variant.name]) == pytest.approx((said[0], 0.0))
        else:
            assert [constant[variant.name], perfect[variant.name]] == pytest.approx(said, abs=2e-4)


def test_scores_that_single_precision_cannot_tell_apart_tie() -> None:
    close = 1 - 1e-12 * np.arange(TARGET.size)
    by_order = variants(TARGET, close)
    assert by_order["of scores in single precision"] == pytest.approx(0.02)
    assert by_order["pAUC above 80 % sensitivity"] != pytest.approx(0.02, abs=1e-4)


def test_folds_on_other_scales_are_mended_by_ranks_only() -> None:
    shifted = variants(TARGET, SCORE + 10 * FOLD, FOLD)
    assert shifted["of ranks within folds"] == pytest.approx(FOUND["of ranks within folds"])
    assert shifted["mean over folds"] == pytest.approx(FOUND["mean over folds"])
    assert shifted["pAUC above 80 % sensitivity"] < FOUND["pAUC above 80 % sensitivity"] - 0.02


def test_without_folds_there_is_nothing_by_fold() -> None:
    assert set(FOUND) - set(variants(TARGET, SCORE)) == {"of ranks within folds", "mean over folds"}
    alone = np.where(TARGET == 1, 0, FOLD)
    assert "mean over folds" not in variants(TARGET, SCORE, alone)  # folds without a malignant lesion


def test_a_quoted_figure_is_matched_to_its_digits() -> None:
    value = FOUND["AUC"]
    assert matching(FOUND, quoted(f"{value:.4f}")) == ["AUC"]
    assert "AUC" in matching(FOUND, quoted(f"{value:.2f}"))
    assert matching(FOUND, quoted(f"{value + 0.0002:.4f}")) == []
    assert matching({"area": 0.012}, quoted("1.2e-2")) == ["area"]
    assert matching({"area": 0.0126}, quoted("1.2e-2")) == []


@pytest.mark.parametrize("text", ["much", "nan", "inf", ""])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no number"):
        quoted(text)
