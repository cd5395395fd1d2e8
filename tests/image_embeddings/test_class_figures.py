"""Balanced accuracy of class probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from image_embeddings.measuring import class_figures


def test_the_mean_of_the_classes_sensitivities() -> None:
    # nv 4 lesions, mel 2, df 1, bcc none; each row is sure of one class.
    index = np.array([0, 0, 0, 0, 1, 1, 2])
    decided = np.array([0, 0, 0, 1, 1, 0, 0])
    probabilities = np.eye(4)[decided]
    figures = class_figures(index, probabilities, ("nv", "mel", "df", "bcc"))
    assert figures["balanced_accuracy"] == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)
    assert figures["accuracy"] == pytest.approx(4 / 7)
    assert figures["sensitivity"] == {"nv": 0.75, "mel": 0.5, "df": 0.0}
    assert figures["lesions"] == {"nv": 4, "mel": 2, "df": 1}


def test_every_class_counts_the_same() -> None:
    # A class of one lesion in four needs a third of the other's probability.
    index = np.array([0, 0, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.7, 0.3]])
    assert class_figures(index, probabilities, ("nv", "mel"))["sensitivity"] == {"nv": 2 / 3, "mel": 1.0}


@pytest.mark.parametrize("seed", range(5))
def test_equals_scikit_learn(seed: int) -> None:
    chance = np.random.default_rng(seed)
    index = chance.integers(0, 7, 300)
    probabilities = chance.dirichlet(np.ones(7), 300)
    decided = (probabilities / np.bincount(index, minlength=7)).argmax(1)
    found = class_figures(index, probabilities, tuple("abcdefg"))["balanced_accuracy"]
    assert found == pytest.approx(balanced_accuracy_score(index, decided), abs=1e-12)
