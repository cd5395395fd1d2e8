"""Lesions in order within their patient, patients by what their lesions amount to, and the list to look at."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import polars as pl
import pytest

from engine.errors import InputError
from submissions.conformal import Promise
from submissions.ranking import PatientsBy, rank_lesions, ranked_within
from submissions.shortlist import Shortlist

SCORES = pl.DataFrame(
    {
        "isic_id": ["a", "b", "c", "d", "e", "f"],
        "patient_id": ["P1", "P2", "P1", "P2", "P1", "P3"],
        "score": [0.2, 0.9, 0.4, 0.1, 0.4, 0.4],
    }
)
RISKS = pl.DataFrame(
    {
        "isic_id": ["a", "b", "c", "d", "e", "f"],
        "patient_id": ["P1", "P1", "P1", "P2", "P3", "P3"],
        "score": [0.5, 0.5, 0.5, 0.6, 0.55, 0.1],
        "risk": [0.5, 0.5, 0.5, 0.6, 0.55, 0.1],
    }
)


def test_order_is_worked_out_by_hand() -> None:
    # P2 has the highest score (b, 0.9). P1 and P3 both reach 0.4 and stand in the order of their ids.
    # Within P1, c and e are equal and stand in the order of their ids, then a.
    ranked = rank_lesions(SCORES, shortlist=Shortlist.top(2))
    assert ranked["isic_id"].to_list() == ["b", "d", "c", "e", "a", "f"]
    assert ranked["patient_rank"].to_list() == [1, 1, 2, 2, 2, 3]
    assert ranked["rank"].to_list() == [1, 2, 1, 2, 3, 1]
    assert ranked["lesions"].to_list() == [2, 2, 3, 3, 3, 1]
    assert ranked["shortlist"].to_list() == [True, True, True, True, False, True]
    assert ranked["risk"].null_count() == ranked["patient_risk"].null_count() == 6


def test_the_order_of_rows_does_not_matter() -> None:
    assert rank_lesions(SCORES.reverse()).equals(rank_lesions(SCORES))
    assert rank_lesions(RISKS.reverse()).equals(rank_lesions(RISKS))


@pytest.mark.parametrize(
    ("order", "patients", "risks"),
    [
        # 1 - 0.5^3 = 0.875; P2 0.6; P3 1 - 0.45 x 0.9 = 0.595
        ("noisy-or", ["P1", "P2", "P3"], [0.875, 0.6, 0.595]),
        ("max", ["P2", "P3", "P1"], [0.6, 0.55, 0.5]),
        ("expected", ["P1", "P3", "P2"], [1.5, 0.65, 0.6]),
    ],
)
def test_patients_stand_in_the_order_asked_for(order: PatientsBy, patients: list[str], risks: list[float]) -> None:
    ranked = rank_lesions(RISKS, patients_by=order).filter(pl.col("rank") == 1)
    assert ranked["patient_id"].to_list() == patients
    assert ranked["patient_risk"].to_list() == pytest.approx(risks)


def test_noisy_or_is_the_default_where_risks_are_known() -> None:
    assert rank_lesions(RISKS).equals(rank_lesions(RISKS, patients_by="noisy-or"))


def test_patients_who_are_all_but_certain_are_still_told_apart() -> None:
    # 1 - 0.1^20 and 1 - 0.1^30 are both 1 to a computer's precision.
    risks = pl.DataFrame(
        {
            "isic_id": [f"{n:03d}" for n in range(51)],
            "patient_id": ["A"] * 20 + ["B"] * 30 + ["C"],
            "score": [0.9] * 50 + [1.0],
            "risk": [0.9] * 50 + [1.0],
        }
    )
    first = rank_lesions(risks).filter(pl.col("rank") == 1)
    assert first["patient_id"].to_list() == ["C", "B", "A"]
    assert first["patient_risk"].to_list() == [1.0, 1.0, 1.0]


def test_patients_of_equal_risk_stand_by_their_highest_score() -> None:
    equal = RISKS.with_columns(risk=pl.lit(0.25)).filter(pl.col("isic_id").is_in(["a", "d", "e"]))
    for order in get_args(PatientsBy):
        first = rank_lesions(equal, patients_by=order)
        assert first["patient_id"].to_list() == ["P2", "P3", "P1"]


@pytest.mark.parametrize("order", ["noisy-or", "expected"])
def test_scores_that_are_not_calibrated_add_up_to_nothing(order: PatientsBy) -> None:
    with pytest.raises(InputError, match="risks are not known"):
        rank_lesions(SCORES, patients_by=order)


def labelled(patients: int, seed: int = 0) -> pl.DataFrame:
    """Patients of 1 to 39 lesions, the first malignant and, in every third patient, the second; scores of some use."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(patients):
        size = int(rng.integers(1, 40))
        target = np.zeros(size, dtype=np.int8)
        target[: 2 if number % 3 == 0 else 1] = 1
        parts.append(
            pl.DataFrame(
                {
                    "isic_id": [f"{number}_{lesion}" for lesion in range(size)],
                    "patient_id": [f"P{number}"] * size,
                    "target": target,
                    "score": rng.normal(size=size).round(2) + 1.5 * target,
                }
            )
        )
    return pl.concat(parts)


@pytest.mark.parametrize("by", ["rank", "score"])
def test_a_promised_list_is_the_shortest_that_carries_the_promise(by: str) -> None:
    lesions = ranked_within(labelled(60))
    shortlist = Shortlist.promised(lesions, Promise(0.8), by="rank" if by == "rank" else "score")

    def lost(listed: pl.Expr) -> float:
        share = lesions.filter(pl.col("target") == 1).group_by("patient_id").agg((~listed).mean().alias("lost"))
        return math.fsum(share["lost"]) / share.height

    assert shortlist.found is not None
    assert lost(shortlist.listed) == pytest.approx(shortlist.found.mean_loss, abs=1e-12)
    assert (60 * lost(shortlist.listed) + 1) / 61 <= 0.2 + 1e-12
    shorter = pl.col("rank") < shortlist.limit if by == "rank" else pl.col("score") > shortlist.limit
    assert (60 * lost(shorter) + 1) / 61 > 0.2


def test_a_list_by_score_is_empty_for_some_patients_and_long_for_others() -> None:
    lesions = labelled(60)
    shortlist = Shortlist.promised(ranked_within(lesions), Promise(0.6), by="score")
    lengths = rank_lesions(lesions, shortlist=shortlist).group_by("patient_id").agg(pl.col("shortlist").sum())
    assert lengths["shortlist"].min() == 0
    assert lengths["shortlist"].n_unique() > 3


def test_a_list_says_what_it_promises() -> None:
    assert str(Shortlist.top(15)) == "the first 15 lesions of each patient"
    assert Shortlist.top(15).as_dict()["promise"] is None
    promised = Shortlist.promised(ranked_within(labelled(60)), Promise(0.8, 0.9))
    assert "at least 80 % of a patient's malignant lesions" in str(promised)
    assert "with 90 % confidence" in str(promised)
    assert promised.as_dict()["found_on"]["patients"] == 60


def test_no_list_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="a short list of 0 lesions"):
        Shortlist.top(0)
