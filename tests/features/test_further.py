"""Columns that SLICE-3D does not have become features, as they are and against the patient's other lesions."""

from __future__ import annotations

import polars as pl

from features import DEFAULT_GROUPS, build, dictionary, fit

FRAME = pl.DataFrame(
    {
        "isic_id": ["a", "b", "c", "d", "e"],
        "patient_id": ["p", "p", "p", "p", "q"],
        "number_hair": [1.0, 2.0, 3.0, None, 5.0],
        "category_itch": ["yes", "no", "no", None, "yes"],
    }
)


def test_numbers_and_categories_are_features_with_patient_relative_forms() -> None:
    built = build(FRAME, state=fit(FRAME))
    assert built["number_hair"].to_list() == [1.0, 2.0, 3.0, None, 5.0]
    assert built["category_itch"].to_list() == ["yes", "no", "no", None, "yes"]
    # Of p's 4 lesions 1 itches, 2 do not, of 1 nothing is said.
    assert built["category_itch__patient_share"].to_list() == [0.25, 0.5, 0.5, None, 1.0]
    # (mid-rank - 1/2) / n of the 3 that are known.
    ranks = [round(value, 6) if value is not None else None for value in built["number_hair__patient_rank"]]
    assert ranks == [0.166667, 0.5, 0.833333, None, 0.5]
    low, middle, high, missing, alone = built["number_hair__patient_z"].to_list()
    assert low == -high < 0
    assert (middle, missing, alone) == (0.0, None, 0.0)


def test_they_do_not_depend_on_the_order_of_columns() -> None:
    names = [spec.name for spec in dictionary(FRAME.columns, DEFAULT_GROUPS)]
    assert names == [spec.name for spec in dictionary(FRAME.columns[::-1], DEFAULT_GROUPS)]


def test_every_form_but_the_ratio_is_there() -> None:
    names = {spec.name for spec in dictionary(FRAME.columns, ("patient", "further"))}
    forms = {name.removeprefix("number_hair__patient_") for name in names if name.startswith("number_hair__")}
    assert forms == {"z", "loo", "robust", "rank", "gap"}
