"""Lesions to score: a value that cannot be used is missing, and said with its place; the rest is read as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cohort.reading import Cohort, read_cohort
from engine.errors import InputError

Rows = Callable[..., pl.DataFrame]
Write = Callable[..., Path]


def changed(frame: pl.DataFrame, column: str, row: int, value: str | None) -> pl.DataFrame:
    values = frame[column].cast(pl.String).to_list()
    values[row] = value
    return frame.with_columns(pl.Series(column, values, pl.String))


def leniently(path: Path) -> Cohort:
    with pytest.raises(InputError):
        read_cohort(path)
    return read_cohort(path, odd="missing")


@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_cells_that_are_no_numbers_are_missing_and_named_once_a_column(
    name: str, slice3d_test: Rows, write: Write
) -> None:
    frame = changed(changed(slice3d_test(12), "tbp_lv_A", 2, "dark"), "tbp_lv_A", 7, "darker")
    path = write(changed(frame, "age_approx", 4, "sixty"), name)
    cohort = leniently(path)
    line = {"table.csv": [" (line 4)", " (line 6)"], "table.parquet": ["", ""]}[name]
    assert sorted(cohort.odd) == [
        f"{path}, column age_approx, row 5{line[1]}: 'sixty' is not a number; counts as missing",
        f"{path}, column tbp_lv_A, row 3{line[0]}: 'dark' is not a number (1 more like it); counts as missing",
    ]
    whole = read_cohort(write(slice3d_test(12), f"whole-{name}")).frame
    lost = pl.col("isic_id").is_in(["ISIC_0000002", "ISIC_0000007"])
    assert cohort.frame.drop("age_approx").equals(
        whole.drop("age_approx").with_columns(pl.when(~lost).then("tbp_lv_A").alias("tbp_lv_A"))
    )


@pytest.mark.parametrize(
    ("column", "value", "becomes"),
    [
        ("tbp_lv_B", "inf", "the value is infinite (inf); counts as missing"),
        ("tbp_lv_areaMM2", "-3", "the size '-3.0' is below zero; counts as missing"),
    ],
)
def test_values_that_formulas_cannot_take_are_missing(
    column: str, value: str, becomes: str, slice3d_test: Rows, write: Write
) -> None:
    cohort = leniently(write(changed(slice3d_test(5), column, 1, value)))
    assert [line.partition(": ")[2] for line in cohort.odd] == [becomes]
    assert cohort.frame.filter(isic_id="ISIC_0000001")[column].to_list() == [None]
    assert cohort.frame[column].null_count() == 1


def test_a_lesion_without_a_patient_has_one_of_its_own(slice3d_test: Rows, write: Write) -> None:
    frame = changed(changed(slice3d_test(8), "patient_id", 3, None), "patient_id", 4, " IP_0000000")
    cohort = leniently(write(frame))
    assert all(line.endswith("; a lesion without a patient is compared with no other") for line in cohort.odd)
    patients = dict(cohort.frame.select("isic_id", "patient_id").iter_rows())
    assert patients["ISIC_0000003"] == "ISIC_0000003"
    assert patients["ISIC_0000004"] == patients["ISIC_0000000"] == "IP_0000000"


@pytest.mark.parametrize(("column", "value"), [("target", "2"), ("iddx_1", "Malignant")])
def test_labels_that_are_wrong_are_left_out(column: str, value: str, slice3d: Rows, write: Write) -> None:
    cohort = leniently(write(changed(slice3d(6), column, 1, value)))
    assert [line.rpartition("; ")[2] for line in cohort.odd] == ["the labels are left out"]
    assert "target" not in cohort.frame.columns
    assert cohort.frame.height == 6


@pytest.mark.parametrize(("column", "value"), [("isic_id", "../1"), ("isic_id", None), ("isic_id", "ISIC_0000002")])
def test_an_answer_needs_every_id(column: str, value: str | None, slice3d_test: Rows, write: Write) -> None:
    with pytest.raises(InputError, match="image id"):
        read_cohort(write(changed(slice3d_test(5), column, 1, value)), odd="missing")


def test_text_that_no_model_may_see_is_not_read(slice3d: Rows, write: Write) -> None:
    path = write(slice3d(6))
    whole, lean = read_cohort(path), read_cohort(path, all_text=False)
    gone = {"image_type", "copyright_license", "lesion_id", "iddx_full", *(f"iddx_{level}" for level in range(2, 6))}
    assert set(whole.frame.columns) - set(lean.frame.columns) == {*gone, "mel_mitotic_index"}
    assert lean.frame.equals(whole.frame.select(lean.frame.columns))
    wrong = read_cohort(write(changed(slice3d(6), "iddx_1", 1, "Malignant")), odd="missing", all_text=False)
    assert "target" not in wrong.frame.columns
