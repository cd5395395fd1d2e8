"""Every refusal of a table: one line that says what, where and how to fix it."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cohort.mapping import ColumnSource
from cohort.reading import read_cohort
from engine.errors import InputError

Rows = Callable[..., pl.DataFrame]
Write = Callable[..., Path]


def _refusal(path: Path, **options: object) -> str:
    with pytest.raises(InputError) as raised:
        read_cohort(path, **options)  # type: ignore[arg-type]
    message = str(raised.value)
    assert "\n" not in message
    assert raised.value.remedy
    return message.removeprefix(f"{path}")


def _changed(frame: pl.DataFrame, column: str, row: int, value: object) -> pl.DataFrame:
    values = frame[column].to_list()
    values[row] = value
    return frame.with_columns(pl.Series(column, values, strict=False))


def test_a_header_without_rows(slice3d: Rows, write: Write) -> None:
    assert _refusal(write(slice3d(5).clear())).startswith(": a header and no rows.")


def test_an_unknown_table(write: Write) -> None:
    message = _refusal(write("name,age\nx,1\n"))
    assert message.startswith(
        ": these are the columns of no known dataset: name, age. name under [data.columns] (of an extra table, under "
        "its columns) what it calls ours; "
    )


def test_a_missing_column_names_the_nearest_one(slice3d: Rows, write: Write) -> None:
    message = _refusal(write(slice3d(5).rename({"tbp_lv_areaMM2": "tbp_lv_areamm2"})))
    assert message.startswith(": column tbp_lv_areaMM2 is missing, the nearest column is 'tbp_lv_areamm2'.")


def test_a_known_column_is_no_misspelling_of_another(slice3d: Rows, write: Write) -> None:
    message = _refusal(write(slice3d(5).drop("patient_id")))
    assert message.startswith(": column patient_id is missing. SLICE-3D")


@pytest.mark.parametrize(("name", "misspelt"), [("tbp_lv_stdL", "TBP_lv_stdL"), ("age_approx", "age approx")])
def test_a_misspelt_column_is_not_taken_for_an_absent_one(
    slice3d: Rows, write: Write, name: str, misspelt: str
) -> None:
    message = _refusal(write(slice3d(5).rename({name: misspelt})))
    assert message.startswith(f": column {name} is missing, the nearest column is '{misspelt}'. rename it to {name}.")


def test_the_key_decides_between_datasets(write: Write) -> None:
    # image is the key of the ISIC 2018 ground truth.
    message = _refusal(write("image,diagnosis_confirm_type\nISIC_1,histopathology\n"))
    assert message.startswith(": column MEL is missing, and 6 more")


def test_several_missing_columns_are_counted(slice3d: Rows, write: Write) -> None:
    message = _refusal(write("image,patient_id,MEL,NV,BCC,BKL\nISIC_1,P_1,1,0,0,0\n"))
    assert message.startswith(": column AKIEC is missing, and 2 more (DF, VASC).")


def test_a_misspelt_key_is_still_recognised(slice3d: Rows, write: Write) -> None:
    message = _refusal(write(slice3d(5).rename({"isic_id": "ISIC ID"})))
    assert message.startswith(": column isic_id is missing, the nearest column is 'ISIC ID'.")


def test_spaces_around_known_names_are_shown(slice3d: Rows, write: Write) -> None:
    message = _refusal(write(slice3d(5).rename({"isic_id": " isic_id", "sex": "sex "})))
    assert message == (": there are spaces around column names: ' isic_id', 'sex '. write the names without spaces.")
    read_cohort(write(slice3d(5).with_columns(pl.lit("x").alias(" note "))))


@pytest.mark.parametrize("word", ["True", "benign", "malignant", "yes"])
def test_labels_in_words_are_told_what_to_write(slice3d: Rows, write: Write, word: str) -> None:
    message = _refusal(write(slice3d(5).with_columns(target=pl.lit(word))))
    assert message.startswith(f", column target, row 1 (line 2): '{word}' is not a number. write 1 for malignant")
    assert message.endswith(
        "under [data.columns] (of an extra table, under its columns): "
        'target = { column = "target", malignant = ["..."] }.'
    )
    frame = slice3d(5).drop("iddx_1").with_columns(target=pl.lit(word))
    read = read_cohort(write(frame), columns={"target": ColumnSource("target", malignant=(word,))}).frame
    assert read["target"].to_list() == [1] * 5


def test_text_in_a_number(slice3d: Rows, write: Write) -> None:
    frame = slice3d(5).with_columns(pl.col("tbp_lv_L").cast(pl.String))
    message = _refusal(write(_changed(frame, "tbp_lv_L", 3, "dark")))
    assert message.startswith(", column tbp_lv_L, row 4 (line 5): 'dark' is not a number.")


def test_a_repeated_id(slice3d: Rows, write: Write) -> None:
    frame = _changed(slice3d(6), "isic_id", 4, "ISIC_0000001")
    message = _refusal(write(frame))
    expected = ", column isic_id, row 2 (line 3): the image id 'ISIC_0000001' appears 2 times (rows 2 and 5)."
    assert message.startswith(expected)


def test_several_repeated_ids_are_counted(slice3d: Rows, write: Write) -> None:
    frame = pl.concat([slice3d(5), slice3d(5), slice3d(5)[:1]])
    message = _refusal(write(frame))
    assert "'ISIC_0000000' appears 3 times (rows 1 and 6 and more), and 4 other ids are repeated" in message


@pytest.mark.parametrize("odd", ["ISIC 1", "ISIC_1.jpg", "ISIC/1", "ISIC_é", "../1", "ISIC_1 "])
def test_odd_characters_in_an_id(odd: str, slice3d: Rows, write: Write) -> None:
    message = _refusal(write(_changed(slice3d(5), "isic_id", 2, odd)))
    assert message.startswith(f", column isic_id, row 3 (line 4): the image id {odd!r} holds odd characters.")


def test_a_missing_id(slice3d: Rows, write: Write) -> None:
    message = _refusal(write(_changed(slice3d(5), "isic_id", 2, None)))
    assert message.startswith(", column isic_id, row 3 (line 4): the image id is missing.")


def test_missing_patients_are_counted_and_the_first_is_named(slice3d: Rows, write: Write) -> None:
    frame = _changed(_changed(slice3d(6), "patient_id", 5, "NA"), "patient_id", 1, None)
    message = _refusal(write(frame))
    assert message.startswith(
        ", column patient_id, row 2 (line 3): lesion ISIC_0000001 has no patient (1 more row like it)"
    )


@pytest.mark.parametrize("odd", [" ", "IP_1 ", " IP_1"])
def test_spaces_around_a_patient(odd: str, slice3d: Rows, write: Write) -> None:
    message = _refusal(write(_changed(slice3d(5), "patient_id", 0, odd)))
    assert message.startswith(f", column patient_id, row 1 (line 2): the patient id {odd!r} is blank, has spaces")


@pytest.mark.parametrize("value", [2, -1, 0.5])
def test_a_target_other_than_0_and_1(value: float, slice3d: Rows, write: Write) -> None:
    frame = slice3d(5).drop("iddx_1")
    message = _refusal(write(_changed(frame, "target", 2, value)))
    assert message.startswith(f", column target, row 3 (line 4): the target is '{float(value)}'.")


def test_a_target_in_words(slice3d: Rows, write: Write) -> None:
    frame = slice3d(5).with_columns(target=pl.lit("malignant"))
    assert _refusal(write(frame)).startswith(", column target, row 1 (line 2): 'malignant' is not a number.")


def test_a_missing_target(slice3d: Rows, write: Write) -> None:
    message = _refusal(write(_changed(slice3d(5), "target", 4, None)))
    assert message.startswith(", column target, row 5 (line 6): the target is missing.")


@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_an_infinite_value(name: str, slice3d: Rows, write: Write) -> None:
    message = _refusal(write(_changed(slice3d(5), "tbp_lv_B", 1, float("-inf")), name))
    place = "row 2 (line 3)" if name.endswith("csv") else "row 2"
    assert message.startswith(f", column tbp_lv_B, {place}: the value is infinite (-inf).")


@pytest.mark.parametrize(
    "size", ["clin_size_long_diam_mm", "tbp_lv_areaMM2", "tbp_lv_perimeterMM", "tbp_lv_minorAxisMM"]
)
def test_a_size_below_zero(size: str, slice3d: Rows, write: Write) -> None:
    message = _refusal(write(_changed(slice3d(5), size, 2, -1.0)))
    assert message.startswith(f", column {size}, row 3 (line 4): the size '-1.0' is below zero.")


def test_labels_that_disagree_with_the_diagnosis(slice3d: Rows, write: Write) -> None:
    frame = _changed(_changed(slice3d(6), "iddx_1", 0, "Indeterminate"), "iddx_1", 2, "Malignant")
    message = _refusal(write(frame))
    expected = ", column target, row 1 (line 2): the target is 1 but iddx_1 is 'Indeterminate' (1 more row like it)."
    assert message.startswith(expected)


def test_indeterminate_lesions_are_not_malignant(slice3d: Rows, write: Write) -> None:
    frame = _changed(slice3d(6), "iddx_1", 1, "Indeterminate")
    assert read_cohort(write(frame)).frame["target"].sum() == 2


def test_isic2020_labels_that_disagree(isic2020: pl.DataFrame, write: Write) -> None:
    message = _refusal(write(_changed(isic2020, "benign_malignant", 3, "malignant")))
    assert message.startswith(", column target, row 4 (line 5): the target is 0 but benign_malignant is 'malignant'.")


def test_a_test_table_for_training(slice3d_test: Rows, write: Write) -> None:
    message = _refusal(write(slice3d_test(5)), labels="required")
    assert message.startswith(": there is no column target, so this is a test table. give a table with labels")


def test_a_misspelt_target_for_training(slice3d: Rows, write: Write) -> None:
    message = _refusal(write(slice3d(5).rename({"target": "Target"})), labels="required")
    assert "there is no column target, so this is a test table, the nearest column is 'Target'." in message


def test_ham10000_without_diagnoses_for_training(ham10000: pl.DataFrame, write: Write) -> None:
    assert "there is no column dx" in _refusal(write(ham10000.drop("dx")), labels="required")


@pytest.mark.parametrize(("target", "word"), [(0, "benign"), (1, "malignant")])
def test_one_class_for_training(target: int, word: str, slice3d: Rows, write: Write) -> None:
    path = write(slice3d(5).drop("iddx_1").with_columns(target=pl.lit(target)))
    assert _refusal(path, labels="required").startswith(f", target: all 5 lesions are {word}.")
    assert len(read_cohort(path).frame) == 5


def test_the_first_of_several_problems_is_the_most_basic_one(slice3d: Rows, write: Write) -> None:
    frame = _changed(_changed(slice3d(6), "tbp_lv_A", 0, float("inf")), "isic_id", 5, "odd id")
    frame = _changed(frame, "isic_id", 4, "odd id too")
    assert "'odd id too' holds odd characters" in _refusal(write(frame))


@pytest.mark.parametrize("diagnosis", ["scc", None, "melanoma"])
def test_an_unknown_diagnosis_in_ham10000(diagnosis: str | None, ham10000: pl.DataFrame, write: Write) -> None:
    message = _refusal(write(_changed(ham10000, "dx", 2, diagnosis)))
    assert message.startswith(f", column dx, row 3 (line 4): the diagnosis '{diagnosis}' is not one of akiec, bcc, bkl")


@pytest.mark.parametrize("value", [1.0, 0.4, None])
def test_one_hot_rows_that_name_no_single_diagnosis(value: float | None, isic2018: pl.DataFrame, write: Write) -> None:
    # Row 2 is NV; a 1 in MEL makes it two diagnoses, 0.4 a probability, nothing an unknown.
    message = _refusal(write(_changed(isic2018, "MEL", 1, value)), ungrouped=True)
    assert message.startswith(", row 2 (line 3): the diagnosis of image 'ISIC_2' is not exactly one 1 among 0s.")


def test_isic2018_without_groups(isic2018: pl.DataFrame, write: Write) -> None:
    message = _refusal(write(isic2018))
    assert "does not say which images show the same lesion" in message
    assert "or say that images are ungrouped" in message


@pytest.mark.parametrize(("option", "owner"), [("duplicates", "ISIC 2020"), ("groups", "ISIC 2018")])
def test_side_files_of_another_dataset(option: str, owner: str, slice3d: Rows, write: Write) -> None:
    with pytest.raises(InputError, match=f"but the table is SLICE-3D .*belongs? to (the )?{owner}"):
        read_cohort(write(slice3d(5)), **{option: write("a,b\n1,2\n", "side.csv")})  # type: ignore[arg-type]
