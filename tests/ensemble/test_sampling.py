"""Every malignant lesion, a part of the benign ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ensemble.sampling import sample_rows

TARGET = np.array([0, 1, 0, 0, 1, 0, 0, 0, 0, 0], dtype=np.int8)  # 2 malignant, 8 benign


def test_keeps_every_malignant_and_the_stated_number_of_benign() -> None:
    rows = sample_rows(TARGET, benign_per_malignant=1.5, seed=(0,))
    assert TARGET[rows].sum() == 2
    assert len(rows) == 2 + 3  # 1.5 × 2 benign
    assert (np.diff(rows) > 0).all()


@pytest.mark.parametrize("ratio", [4.0, 5.0, math.inf])
def test_keeps_all_where_there_are_no_more(ratio: float) -> None:
    assert np.array_equal(sample_rows(TARGET, benign_per_malignant=ratio, seed=(0,)), np.arange(10))


def test_the_seed_decides_which() -> None:
    target = np.zeros(1000, dtype=np.int8)
    target[:10] = 1
    draw = [sample_rows(target, benign_per_malignant=20, seed=(seed, 0, 1)) for seed in (0, 0, 1)]
    assert np.array_equal(draw[0], draw[1])
    assert not np.array_equal(draw[0], draw[2])
