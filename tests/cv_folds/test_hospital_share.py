"""How much of a score is the hospital, on scores made so that it is known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cv_folds.hospital_share import hospital_share, in_words

LESIONS = 3_000


@pytest.fixture
def lesions() -> pl.DataFrame:
    """Two hospitals, one of which sends nearly all malignant lesions; three lesions a patient."""
    chance = np.random.default_rng(0)
    target = chance.random(LESIONS) < 0.2
    hospital = np.where(chance.random(LESIONS) < np.where(target, 0.9, 0.2), "A", "B")
    return pl.DataFrame(
        {
            "patient_id": [f"P{row // 3}" for row in range(LESIONS)],
            "target": target.astype(np.int8),
            "hospital": hospital,
        }
    )


def found(lesions: pl.DataFrame, hospital: float, lesion: float) -> dict:
    chance = np.random.default_rng(1)
    at_a, malignant = (lesions["hospital"] == "A").to_numpy(), lesions["target"].to_numpy()
    score = hospital * at_a + lesion * malignant + chance.normal(size=LESIONS)
    share = hospital_share(lesions, score, lesions["hospital"], replicates=200)
    assert share is not None
    return share


def test_a_score_that_is_nothing_but_the_hospital(lesions: pl.DataFrame) -> None:
    share = found(lesions, hospital=3.0, lesion=0.0)
    assert share["pooled"]["estimate"] > 0.75
    assert share["within"]["estimate"] == pytest.approx(0.5, abs=0.05)
    assert share["levelled"]["estimate"] == pytest.approx(0.5, abs=0.05)
    assert share["share"] == pytest.approx(1, abs=0.15)
    assert share["difference"]["low"] > 0
    assert share["told"] > 0.4
    assert "of what is above chance is the hospital" in in_words(share)


def test_a_score_that_knows_the_lesion_alone(lesions: pl.DataFrame) -> None:
    share = found(lesions, hospital=0.0, lesion=2.0)
    assert abs(share["share"]) < 0.02
    assert share["within"]["estimate"] == pytest.approx(share["pooled"]["estimate"], abs=0.02)
    assert share["told"] < 0.01


def test_lesions_of_no_known_hospital_and_without_a_score_are_left_out(lesions: pl.DataFrame) -> None:
    score = np.where(np.arange(LESIONS) < 300, np.nan, np.linspace(0, 1, LESIONS))
    hospital = lesions["hospital"].set(pl.Series(np.arange(LESIONS) >= 2_700), None)
    share = hospital_share(lesions, score, hospital, replicates=200)
    assert share is not None
    assert share["lesions"] == 2_400


def test_one_hospital_has_no_share(lesions: pl.DataFrame) -> None:
    alone = pl.Series(["A"] * LESIONS)
    assert hospital_share(lesions, np.linspace(0, 1, LESIONS), alone, replicates=200) is None
