from collections.abc import Callable

import polars as pl
import pytest

from cohort.checking.relations import check_relations

Rows = Callable[..., pl.DataFrame]


def test_relations_hold_in_consistent_rows(slice3d: Rows) -> None:
    finding = check_relations(slice3d(20), where="t")
    assert finding.status == "clear"
    assert len(finding.values["relations"]) == 8


@pytest.mark.parametrize(
    ("column", "formula"),
    [
        ("C", "C = hypot(A, B)"),
        ("Hext", "Hext = atan2(Bext, Aext)"),
        ("deltaL", "deltaL = L - Lext"),
        ("area_perim_ratio", "area_perim_ratio = perimeterMM² / areaMM2"),
    ],
)
def test_one_broken_row_is_counted_with_its_deviation(column: str, formula: str, slice3d: Rows) -> None:
    frame = slice3d(20)
    name = f"tbp_lv_{column}"
    value = frame[name][7]
    # 1 % too large: a deviation of 0.01 of the value (of 1 where the value is smaller).
    values = [*frame[name][:7], value + 0.01 * max(1, abs(value)), *frame[name][8:]]
    finding = check_relations(frame.with_columns(pl.Series(name, values)), where="t")
    assert finding.status == "found"
    assert finding.measured == f"{formula} in 1 rows; the largest deviation is 0.01"
    assert finding.values["relations"][formula]["rows"] == 1
    assert finding.values["relations"][formula]["largest"] == pytest.approx(0.01)


def test_hue_is_compared_the_shorter_way_round() -> None:
    # atan2(-1e-9, -1) is -180 degrees, which is the same hue as 180.
    frame = pl.DataFrame({"tbp_lv_A": [-1.0], "tbp_lv_B": [-1e-9], "tbp_lv_H": [180.0]})
    assert check_relations(frame, where="t").status == "clear"


def test_small_values_may_deviate_by_the_rounding_of_large_ones() -> None:
    # deltaB is a difference of numbers near 28: an error of 5e-5 is rounding there, though 5 % of 0.001.
    frame = pl.DataFrame({"tbp_lv_B": [28.001], "tbp_lv_Bext": [28.0], "tbp_lv_deltaB": [0.00105]})
    assert check_relations(frame, where="t").status == "clear"


def test_missing_values_and_zero_areas_are_left_out() -> None:
    frame = pl.DataFrame(
        {
            "tbp_lv_perimeterMM": [3.0, 2.0, None],
            "tbp_lv_areaMM2": [0.0, 4.0, 1.0],
            "tbp_lv_area_perim_ratio": [9.0, 1.0, 1.0],
        }
    )
    finding = check_relations(frame, where="t")
    assert (finding.status, finding.values["relations"]["area_perim_ratio = perimeterMM² / areaMM2"]["rows"]) == (
        "clear",
        0,
    )


def test_tables_without_these_columns_or_values_are_not_judged() -> None:
    assert check_relations(pl.DataFrame({"isic_id": ["a"]}), where="t").status == "not applicable"
    empty = pl.DataFrame(
        {"tbp_lv_A": [None], "tbp_lv_B": [1.0], "tbp_lv_C": [1.0]}, schema_overrides={"tbp_lv_A": pl.Float64}
    )
    assert check_relations(empty, where="t").status == "not applicable"
