import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cohort.checking import check_data
from cohort.columns import CATEGORICAL, NUMERIC, SLICE3D, TEST_COLUMNS
from cohort.reading import Cohort, read_cohort
from engine.errors import InputError

Rows = Callable[..., pl.DataFrame]
Write = Callable[..., Path]


def _same(one: Cohort, other: Cohort) -> bool:
    return one.frame.equals(other.frame) and one.frame.schema == other.frame.schema


def test_a_train_table_becomes_the_canonical_frame(slice3d: Rows, write: Write) -> None:
    cohort = read_cohort(write(slice3d(12)), labels="required")
    assert cohort.dataset == "slice3d"
    assert cohort.frame.columns[:3] == ["isic_id", "patient_id", "target"]
    assert cohort.frame.columns[3:] == [
        column.name for column in SLICE3D if column.name not in cohort.frame.columns[:3]
    ]
    assert dict(cohort.frame.schema) == {column.name: column.dtype for column in SLICE3D}
    # 4 patients in turn: patient 0 has lesions 0, 4, 8, then patient 1 has 1, 5, 9, ...
    assert cohort.frame["isic_id"].to_list()[:4] == ["ISIC_0000000", "ISIC_0000004", "ISIC_0000008", "ISIC_0000001"]
    assert cohort.frame["target"].sum() == 3


def test_values_are_those_of_the_file(slice3d: Rows, write: Write) -> None:
    given = slice3d(12)
    read = read_cohort(write(given)).frame.sort("isic_id")
    assert read.select(NUMERIC).equals(given.select(pl.col(NUMERIC).cast(pl.Float64)))
    assert read["attribution"].equals(given["attribution"])


def test_a_test_table_has_no_target(slice3d_test: Rows, write: Write) -> None:
    frame = read_cohort(write(slice3d_test(3))).frame
    assert set(frame.columns) == set(TEST_COLUMNS)


def test_given_order_is_that_of_the_file(slice3d: Rows, write: Write) -> None:
    shuffled = slice3d(12).sample(fraction=1, shuffle=True, seed=3)
    cohort = read_cohort(write(shuffled))
    assert cohort.given_order.to_list() == shuffled["isic_id"].to_list()
    assert cohort.frame["isic_id"].to_list() != cohort.given_order.to_list()


def test_order_of_rows_and_columns_does_not_matter(slice3d: Rows, write: Write) -> None:
    frame = slice3d(12)
    turned = frame.reverse().select(reversed(frame.columns))
    assert _same(read_cohort(write(frame, "one.csv")), read_cohort(write(turned, "other.csv")))


@pytest.mark.parametrize("name", ["table.parquet", "table.csv.gz", "table.bin"])
def test_every_file_format_gives_the_same_frame(name: str, slice3d: Rows, write: Write) -> None:
    frame = slice3d(12)
    path = write(frame, "one.csv")
    packed = gzip.compress(path.read_bytes())
    other = write(frame, name) if name.endswith("parquet") else write(packed, name)
    assert _same(read_cohort(path), read_cohort(other))


def test_a_missing_age_after_many_rows_is_null(slice3d: Rows, write: Write) -> None:
    frame = slice3d(400).with_columns(pl.col("age_approx").cast(pl.String))
    ages = [*frame["age_approx"][:300], *["NA"] * 100]
    read = read_cohort(write(frame.with_columns(age_approx=pl.Series(ages)))).frame
    assert read["age_approx"].null_count() == 100


def test_unknown_locations_are_missing_but_an_unknown_diagnosis_is_kept(
    slice3d: Rows, isic2020: pl.DataFrame, write: Write
) -> None:
    frame = slice3d(5).with_columns(tbp_lv_location=pl.lit("Unknown"), sex=pl.lit("unknown"))
    read = read_cohort(write(frame)).frame
    assert read["tbp_lv_location"].null_count() == read["sex"].null_count() == 5
    assert "unknown" in read_cohort(write(isic2020)).frame["diagnosis"]


def test_nan_in_parquet_is_null(slice3d: Rows, write: Write) -> None:
    frame = slice3d(5).with_columns(tbp_lv_A=pl.lit(float("nan")))
    assert read_cohort(write(frame, "table.parquet")).frame["tbp_lv_A"].null_count() == 5


def test_unknown_columns_are_left_out_and_reported(slice3d: Rows, write: Write) -> None:
    cohort = read_cohort(write(slice3d(5).with_columns(Unnamed=pl.lit(1), note=pl.lit("x"))))
    assert not {"Unnamed", "note"}.intersection(cohort.frame.columns)
    (finding,) = [finding for finding in cohort.findings if finding.status == "found"]
    assert (finding.code, finding.measured) == ("UD111", "2 left out: Unnamed, note")


@pytest.mark.parametrize("kind", ["empty", "constant", "absent"])
@pytest.mark.parametrize("name", [*NUMERIC, *CATEGORICAL])
def test_any_column_may_be_empty_constant_or_absent_and_the_check_says_so(
    slice3d: Rows, write: Write, name: str, kind: str
) -> None:
    value = None if kind == "empty" else 5.0 if name in NUMERIC else "the same"
    frame = slice3d(8)
    frame = frame.drop(name) if kind == "absent" else frame.with_columns(pl.lit(value).alias(name))
    path = write(frame)
    assert (name in read_cohort(path, labels="required").frame.columns) == (kind != "absent")
    code, key = {"absent": ("UD115", "columns"), "constant": ("UD123", "columns"), "empty": ("UD120", "shares")}[kind]
    (finding,) = [finding for finding in check_data(path) if finding.code == code]
    assert finding.status == "found"
    assert name in finding.values[key]


def test_columns_without_meaning_for_a_model_may_be_absent(slice3d: Rows, write: Write) -> None:
    slim = slice3d(12).drop("image_type", "copyright_license", "lesion_id", "iddx_full", "mel_thick_mm")
    assert read_cohort(write(slim), labels="required").frame.width == 50


def test_whole_numbers_written_as_floats_are_targets_too(slice3d: Rows, write: Write) -> None:
    frame = slice3d(6).with_columns(pl.col("target").cast(pl.Float64))
    assert read_cohort(write(frame)).frame["target"].dtype == pl.Int8


def test_odd_but_possible_values_are_kept(slice3d: Rows, write: Write) -> None:
    frame = slice3d(6).with_columns(tbp_lv_L=pl.lit(120.0), age_approx=pl.lit(-5.0), tbp_lv_areaMM2=pl.lit(0.0))
    assert read_cohort(write(frame)).frame["tbp_lv_L"].to_list() == [120.0] * 6


@pytest.mark.parametrize("version", [1, 2])
def test_isic2020_gets_the_canonical_names(version: int, isic2020: pl.DataFrame, write: Write) -> None:
    table = isic2020 if version == 2 else isic2020.drop("lesion_id")
    cohort = read_cohort(write(table), labels="required")
    assert cohort.dataset == "isic2020"
    names = ["isic_id", "patient_id", "target", "lesion_id", "sex", "age_approx", "anatom_site_general"]
    names += ["diagnosis", "benign_malignant"]
    assert cohort.frame.columns == [name for name in names if version == 2 or name != "lesion_id"]
    assert cohort.frame["isic_id"].to_list() == ["ISIC_5", "ISIC_6", "ISIC_3", "ISIC_4", "ISIC_1", "ISIC_2"]
    assert cohort.frame["age_approx"].to_list() == [45.0, 45.0, 50.0, 50.0, None, None]


def test_isic2020_without_labels_is_a_test_table(isic2020: pl.DataFrame, write: Write) -> None:
    frame = read_cohort(write(isic2020.drop("target", "diagnosis", "benign_malignant", "lesion_id"))).frame
    assert frame.columns == ["isic_id", "patient_id", "sex", "age_approx", "anatom_site_general"]


def test_ham10000_groups_by_lesion_and_derives_the_target(ham10000: pl.DataFrame, write: Write) -> None:
    cohort = read_cohort(write(ham10000), labels="required")
    by_diagnosis = dict(cohort.frame.select("diagnosis", "target").iter_rows())
    assert cohort.dataset == "ham10000"
    assert by_diagnosis == {"mel": 1, "bcc": 1, "akiec": 1, "nv": 0, "bkl": 0, "df": 0, "vasc": 0}
    assert cohort.frame["patient_id"].to_list() == ["HAM_1", "HAM_2", "HAM_2", "HAM_3", "HAM_4", "HAM_5", "HAM_6"]
    second = cohort.frame.row(by_predicate=pl.col("isic_id") == "ISIC_2", named=True)
    assert (second["sex"], second["anatom_site_general"], second["age_approx"]) == (None, None, None)


def test_ham10000_keeps_the_source_of_the_image_as_attribution(ham10000: pl.DataFrame, write: Write) -> None:
    frame = read_cohort(write(ham10000.with_columns(dataset=pl.lit("rosendahl")))).frame
    assert frame["attribution"].to_list() == ["rosendahl"] * 7


def test_isic2018_ungrouped_makes_every_image_its_own_patient(isic2018: pl.DataFrame, write: Write) -> None:
    cohort = read_cohort(write(isic2018), labels="required", ungrouped=True)
    assert cohort.dataset == "isic2018"
    assert cohort.frame.columns == ["isic_id", "patient_id", "target", "diagnosis"]
    assert cohort.frame["patient_id"].equals(cohort.frame["isic_id"].alias("patient_id"))
    assert cohort.frame["diagnosis"].to_list() == ["mel", "nv", "bcc", "akiec", "bkl", "df", "vasc"]
    assert cohort.frame["target"].to_list() == [1, 0, 1, 1, 0, 0, 0]


def test_a_table_without_patients_needs_to_be_read_ungrouped(slice3d: Rows, write: Write) -> None:
    path = write(slice3d(6).select("isic_id", "target", "attribution", "age_approx"))
    with pytest.raises(InputError, match=r"column patient_id is missing.*read the table as ungrouped"):
        read_cohort(path)
    frame = read_cohort(path, labels="required", ungrouped=True).frame
    assert frame["patient_id"].to_list() == frame["isic_id"].to_list()


def test_ungrouped_leaves_known_patients_alone(slice3d: Rows, write: Write) -> None:
    path = write(slice3d(12))
    assert _same(read_cohort(path, ungrouped=True), read_cohort(path))
