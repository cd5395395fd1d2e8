"""Every malignant lesion, a part of the benign ones."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from ensemble.matrix import FeatureSpace
from ensemble.sampling import sample_rows, with_noise

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


def test_noise_has_the_asked_size_and_leaves_the_rest_alone() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"isic_id": [str(i) for i in range(5_000)], "a": 3 * rng.normal(size=5_000), "b": rng.random(5_000)}
    )
    frame = frame.with_columns(pl.when(pl.int_range(5_000) % 7 == 0).then(None).otherwise("a").alias("a"))
    matrix = FeatureSpace.fit(frame).encode(frame)
    noisy = with_noise(matrix, {"a": 0.1, "absent": 1.0}, seed=(0, 1))
    added = noisy.values[:, 0] - matrix.values[:, 0]
    assert np.nanstd(added) == pytest.approx(0.3, rel=0.05)
    assert np.array_equal(np.isnan(noisy.values), np.isnan(matrix.values))
    assert np.array_equal(noisy.values[:, 1], matrix.values[:, 1])
    assert np.array_equal(noisy.values, with_noise(matrix, {"a": 0.1}, seed=(0, 1)).values, equal_nan=True)
    assert not np.array_equal(noisy.values, with_noise(matrix, {"a": 0.1}, seed=(0, 2)).values, equal_nan=True)
