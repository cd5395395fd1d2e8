"""Balanced accuracy of class probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import balanced_accuracy_score

from image_embeddings.measuring import class_figures


def test_the_mean_of_the_classes_sensitivities() -> None:
    # nv 4 lesions, mel 2, df 1, bcc none; each row is sure of one class.
    index = np.array([0, 0, 0, 0, 1, 1, 2])
    decided = np.array([0, 0, 0, 1, 1, 0, 0])
    probabilities = np.eye(4)[decided]
    figures = class_figures(index, probabilities, ("nv", "mel", "df", "bcc"), patients(7))
    assert figures["balanced_accuracy"]["estimate"] == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)
    assert figures["accuracy"]["estimate"] == pytest.approx(4 / 7)
    assert estimates(figures["sensitivity"]) == {"nv": 0.75, "mel": 0.5, "df": 0.0}
    assert figures["sensitivity"]["df"]["method"] == "exact binomial"
    assert figures["lesions"] == {"nv": 4, "mel": 2, "df": 1}


def test_every_class_counts_the_same() -> None:
    # A class of one lesion in four needs a third of the other's probability.
    index = np.array([0, 0, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.7, 0.3]])
    figures = class_figures(index, probabilities, ("nv", "mel"), patients(4))
    assert estimates(figures["sensitivity"]) == {"nv": 2 / 3, "mel": 1.0}


@pytest.mark.parametrize("seed", range(5))
def test_equals_scikit_learn(seed: int) -> None:
    chance = np.random.default_rng(seed)
    index = chance.integers(0, 7, 300)
    probabilities = chance.dirichlet(np.ones(7), 300)
    decided = (probabilities / np.bincount(index, minlength=7)).argmax(1)
    found = class_figures(index, probabilities, tuple("abcdefg"), patients(300))["balanced_accuracy"]
    assert found["estimate"] == pytest.approx(balanced_accuracy_score(index, decided), abs=1e-12)


def test_the_interval_draws_patients_whole() -> None:
    # 200 patients of ten alike lesions each, right with probability 0.7, half of them of either class.
    chance = np.random.default_rng(0)
    index, right = np.repeat(np.arange(200) % 2, 10), np.repeat(chance.random(200) < 0.7, 10)
    probabilities = np.eye(2)[np.where(right, index, 1 - index)]
    by_patient, by_lesion = (
        class_figures(index, probabilities, ("nv", "mel"), pl.Series(code))["balanced_accuracy"]
        for code in (np.arange(2000) // 10, np.arange(2000))
    )
    # The mean of two shares of 100 patients: sqrt(0.7 * 0.3 / 200) = 0.0324, and sqrt(10) less if lesions are drawn.
    assert by_patient["standard_error"] == pytest.approx(0.0324, rel=0.1)
    assert by_lesion["standard_error"] == pytest.approx(0.0324 / 10**0.5, rel=0.1)
    assert by_patient["low"] < by_lesion["low"] < by_patient["estimate"] < by_lesion["high"] < by_patient["high"]


def patients(lesions: int) -> pl.Series:
    return pl.Series("patient_id", [f"IP_{lesion}" for lesion in range(lesions)])


def estimates(figures: dict[str, dict[str, Any]]) -> dict[str, float]:
    return {name: figure["estimate"] for name, figure in figures.items()}
