"""Lesions in order within their patient, patients by their most suspicious lesion."""

from __future__ import annotations

import polars as pl

from submissions.ranking import rank_lesions

SCORES = pl.DataFrame(
    {
        "isic_id": ["a", "b", "c", "d", "e", "f"],
        "patient_id": ["P1", "P2", "P1", "P2", "P1", "P3"],
        "score": [0.2, 0.9, 0.4, 0.1, 0.4, 0.4],
    }
)


def test_order_is_worked_out_by_hand() -> None:
    # P2 has the highest score (b, 0.9). P1 and P3 both reach 0.4 and stand in the order of their ids.
    # Within P1, c and e are equal and stand in the order of their ids, then a.
    ranked = rank_lesions(SCORES, k=2)
    assert ranked["isic_id"].to_list() == ["b", "d", "c", "e", "a", "f"]
    assert ranked["patient_rank"].to_list() == [1, 1, 2, 2, 2, 3]
    assert ranked["rank"].to_list() == [1, 2, 1, 2, 3, 1]
    assert ranked["lesions"].to_list() == [2, 2, 3, 3, 3, 1]
    assert ranked["shortlist"].to_list() == [True, True, True, True, False, True]


def test_the_order_of_rows_does_not_matter() -> None:
    assert rank_lesions(SCORES.reverse()).equals(rank_lesions(SCORES))
