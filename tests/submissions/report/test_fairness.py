"""Groups whose figures are known beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from cv_folds.metrics import partial_auc, roc_auc
from submissions.report.fairness import fairness

PATIENTS, EACH = 40, 25


@pytest.fixture(scope="module")
def lesions() -> pl.DataFrame:
    """Women are ranked without error, men at random; three patients are of no stated sex; nobody has a site."""
    rng = np.random.Generator(np.random.PCG64(2))
    patient = np.repeat(np.arange(PATIENTS), EACH)
    target = np.tile(np.arange(EACH) < 2, PATIENTS).astype(np.int8)
    sex = np.where(patient < 20, "female", "male").astype(object)
    sex[patient >= 37] = None
    score = np.where(sex == "female", target * 0.5 + 0.4 * rng.random(patient.size), rng.random(patient.size))
    return pl.DataFrame(
        {
            "isic_id": [f"ISIC_{row:07d}" for row in range(patient.size)],
            "patient_id": [f"IP_{each:07d}" for each in patient],
            "target": target,
            "blend": score,
            "sex": pl.Series(sex, dtype=pl.String),
            "age_approx": 30.0 + 5 * (patient % 9),
        }
    )


@pytest.fixture(scope="module")
def told(lesions: pl.DataFrame) -> dict[str, Any]:
    return fairness(lesions, replicates=300, seed=0)


def _division(told: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in told["divisions"] if each["name"] == name)


def test_estimates_are_the_metrics_of_the_group(lesions: pl.DataFrame, told: dict[str, Any]) -> None:
    female, male, _ = _division(told, "sex")["groups"]
    for group in (female, male):
        mine = lesions.filter(pl.col("sex") == group["name"])
        flagged = mine["blend"] >= told["threshold"]
        malignant = mine["target"] == 1
        assert group["pauc"]["estimate"] == pytest.approx(partial_auc(mine["target"], mine["blend"]))
        assert group["auc"]["estimate"] == pytest.approx(roc_auc(mine["target"], mine["blend"]))
        assert group["sensitivity"]["estimate"] == pytest.approx((flagged & malignant).sum() / malignant.sum())
        assert group["false_alarms"]["estimate"] == pytest.approx((flagged & ~malignant).sum() / (~malignant).sum())
        assert group["lesions"] == mine.height


def test_one_threshold_finds_four_in_five_of_all(told: dict[str, Any]) -> None:
    assert told["overall"]["sensitivity"]["estimate"] == pytest.approx(0.8, abs=1 / (2 * PATIENTS))
    assert told["overall"]["sensitivity"]["estimate"] >= 0.8


def test_worse_is_named_and_better_is_not(told: dict[str, Any]) -> None:
    female, male, _ = _division(told, "sex")["groups"]
    assert female["worse"] == []
    assert set(male["worse"]) == {"pauc", "auc", "sensitivity", "false_alarms"}


def test_too_few_is_said_and_not_measured(told: dict[str, Any]) -> None:
    # Three patients of no stated sex hold 6 malignant lesions: fewer than 10.
    few = _division(told, "sex")["groups"][-1]
    assert few["name"] == "not stated"
    assert (few["enough"], few["malignant"], few["malignant_patients"]) == (False, 6, 3)
    assert "pauc" not in few


def test_ten_lesions_of_four_patients_are_too_few(lesions: pl.DataFrame) -> None:
    carriers = lesions["patient_id"].unique().sort()[:4].implode()
    one_hospital = pl.when(pl.col("patient_id").is_in(carriers)).then(pl.lit("A")).otherwise(pl.lit("B"))
    more = lesions.with_columns(
        attribution=one_hospital, target=pl.when(one_hospital == "A").then(pl.col("blend") > 0.5).otherwise("target")
    ).with_columns(pl.col("target").cast(pl.Int8))
    told = _division(fairness(more, replicates=100, seed=0), "hospital")["groups"]
    assert told[0]["name"] == "A"
    assert told[0]["malignant_patients"] == 4
    assert not told[0]["enough"]


def test_what_the_table_lacks_and_who_is_absent(told: dict[str, Any]) -> None:
    assert _division(told, "site")["missing"] == ["anatom_site_general"]
    assert _division(told, "skin")["groups"] == []
    ages = _division(told, "age")
    assert [group["name"] for group in ages["groups"]] == [
        "under 40",
        "40 to 49",
        "50 to 59",
        "60 to 69",
        "70 and over",
    ]
    assert ages["absent"] == []


def test_bands_by_hand(lesions: pl.DataFrame) -> None:
    young = lesions.with_columns(age_approx=pl.Series([39.0, 40.0, 69.0, 70.0, None] * (lesions.height // 5)))
    ages = _division(fairness(young, replicates=100, seed=0), "age")
    counted = {group["name"]: group["lesions"] for group in ages["groups"]}
    fifth = lesions.height // 5
    assert counted == dict.fromkeys(("under 40", "40 to 49", "60 to 69", "70 and over", "not stated"), fifth)
    assert ages["absent"] == ["50 to 59"]


def test_the_same_bits_again(lesions: pl.DataFrame, told: dict[str, Any]) -> None:
    assert fairness(lesions, replicates=300, seed=0) == told
