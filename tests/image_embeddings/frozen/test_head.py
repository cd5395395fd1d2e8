"""Heads on features: reduction, choice inside the training rows, the same bits in any batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from cv_folds.metrics import roc_auc
from engine.errors import InputError
from image_embeddings.arrays import load_model, save_model
from image_embeddings.frozen.head import Head, HeadSettings, Reduction

ROWS, FEATURES = 400, 30
SETTINGS = HeadSettings(FEATURES, 8, 0)


def lesions(kind: str, seed: int = 0) -> tuple[NDArray[np.float64], pl.DataFrame, NDArray[np.int8]]:
    """Noise, and two hidden numbers seen by ten features each: their sum tells, or their distance from 0 ("round")."""
    chance = np.random.default_rng(seed)
    hidden = chance.normal(size=(ROWS, 2))
    values = chance.normal(size=(ROWS, FEATURES))
    values[:, :20] += 2 * np.repeat(hidden, 10, axis=1)
    told = hidden.sum(1) if kind == "straight" else (hidden**2).sum(1)
    target = (told > np.quantile(told, 0.85)).astype(np.int8)
    frame = pl.DataFrame(
        {"isic_id": [f"ISIC_{row}" for row in range(ROWS)], "patient_id": [f"IP_{row // 2}" for row in range(ROWS)]}
    )
    return values, frame, target


def test_components_are_standardised_and_the_other_columns_kept() -> None:
    values, _, _ = lesions("straight")
    reduced = Reduction.fit(values, 20, 6)(values)
    assert reduced.shape == (ROWS, 6 + 10)
    np.testing.assert_allclose(np.cov(reduced[:, :6].T, bias=True), np.eye(6), atol=1e-9)
    np.testing.assert_allclose(reduced[:, 6:], (values - values.mean(0))[:, 20:] / values.std(0)[20:])


def test_a_constant_column_and_more_components_than_there_are_do_no_harm() -> None:
    values = np.random.default_rng(0).normal(size=(40, 3))
    values[:, 1] = 7
    assert Reduction.fit(values, 3, 10)(values).shape == (40, 2)


@pytest.mark.parametrize("kind", ["straight", "round"])
def test_the_head_that_fits_is_chosen(kind: str) -> None:
    head = Head.fit(*lesions(kind), SETTINGS)
    values, _, target = lesions(kind, seed=1)
    assert roc_auc(target, head.log_odds(values)) > 0.9
    if kind == "round":  # no plane tells the middle from the outside
        assert len(head.weight) == 0


@pytest.mark.parametrize("kind", ["straight", "round"])
def test_a_row_has_the_same_bits_in_any_company_and_after_reading(kind: str, tmp_path: Path) -> None:
    values, frame, target = lesions(kind)
    values[7] = np.nan
    head = Head.fit(values, frame, target, SETTINGS)
    save_model(head, tmp_path / "fold0.npz")
    again, whole = load_model(tmp_path / "fold0.npz", Head, "a head"), head.log_odds(values)
    assert np.isnan(whole).nonzero()[0].tolist() == [7]
    for rows in ([3], [ROWS - 1, 7, 0], np.random.default_rng(0).permutation(ROWS)[:257].tolist()):
        np.testing.assert_array_equal(again.log_odds(values[rows]), whole[rows])


def test_a_damaged_file_is_no_head(tmp_path: Path) -> None:
    (tmp_path / "fold0.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match="not a head"):
        load_model(tmp_path / "fold0.npz", Head, "a head")
