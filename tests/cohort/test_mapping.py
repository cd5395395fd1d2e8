"""A clinic's own table: mapped columns, units, further columns, joined tables, and the mapping that is suggested."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cohort.checking import check_data
from cohort.mapping import ColumnSource, check_mapping
from cohort.reading import read_cohort
from cohort.suggesting import suggest
from engine.errors import InputError

Write = Callable[..., Path]

CLINIC = """lesion_uuid;patient;age;gender;diameter_cm;crust score;itch;histology;biopsy date
a-1.jpg;K1;50;f;0,35;1,5;yes;Melanoma;2024-01-01
a-2.jpg;K1;50;f;0,5;2;no;nevus;
a-3.jpg;K2;70;m;;2,5;;;
"""
COLUMNS = {
    "isic_id": ColumnSource("lesion_uuid"),
    "patient_id": ColumnSource("patient"),
    "target": ColumnSource("histology", malignant=("melanoma",)),
    "age_approx": ColumnSource("age"),
    "clin_size_long_diam_mm": ColumnSource("diameter_cm", times=10),
    "crust": ColumnSource("crust score", kind="number"),
    "itch": ColumnSource("itch", kind="category"),
}


def test_a_mapped_table_becomes_canonical(write: Write) -> None:
    cohort = read_cohort(write(CLINIC), labels="required", columns=COLUMNS)
    assert cohort.dataset == "own"
    assert cohort.frame.drop("diagnosis").to_dict(as_series=False) == {
        "isic_id": ["a-1", "a-2"],
        "patient_id": ["K1", "K1"],
        "target": [1, 0],
        "age_approx": [50.0, 50.0],
        "clin_size_long_diam_mm": [3.5, 5.0],
        "number_crust": [1.5, 2.0],
        "category_itch": ["yes", "no"],
    }
    (found,) = [one.measured for one in cohort.findings if one.code == "UD117"]
    assert found == "1 of 3: left out"


def test_an_empty_diagnosis_is_benign_where_that_is_said(write: Write) -> None:
    told = COLUMNS | {"target": ColumnSource("histology", malignant=("Melanoma",), benign=("", "nevus"))}
    assert read_cohort(write(CLINIC), labels="required", columns=told).frame["target"].to_list() == [1, 0, 0]
    told["target"] = ColumnSource("histology", malignant=("nevus",), benign=("",))
    with pytest.raises(InputError, match=r"column histology, row 1 \(line 2\): the diagnosis 'Melanoma' is not one of"):
        read_cohort(write(CLINIC), labels="required", columns=told)


def test_lesions_to_score_may_lack_labels_and_columns_or_use_our_names(write: Write) -> None:
    path = write("lesion_uuid,patient_id,age,unit\na-1,K1,50,mm\n")
    frame = read_cohort(path, columns=COLUMNS).frame
    assert frame.to_dict(as_series=False) == {"isic_id": ["a-1"], "patient_id": ["K1"], "age_approx": [50.0]}


def test_lesions_of_a_published_table_are_read_as_that(ham10000: pl.DataFrame, write: Write) -> None:
    cohort = read_cohort(write(ham10000), columns=COLUMNS)
    assert cohort.dataset == "ham10000"
    assert cohort.frame.height == 7


def test_a_mapping_may_add_to_a_published_table(write: Write) -> None:
    path = write("isic_id,patient_id,target,age_approx,abcd\nISIC_1,P1,1,50,7\nISIC_2,P2,0,60,3\n")
    cohort = read_cohort(path, labels="required", columns={"abcd": ColumnSource("abcd", kind="number")})
    assert (cohort.dataset, cohort.frame["number_abcd"].to_list()) == ("slice3d", [7.0, 3.0])


def test_patients_of_a_published_table_may_be_told_otherwise(real_data: Path) -> None:
    by_lesion = read_cohort(real_data / "pad_ufes_20", columns={"patient_id": ColumnSource("lesion_id")})
    assert by_lesion.frame["patient_id"].n_unique() == 1641


def test_a_mapped_column_that_is_absent_is_named(write: Write) -> None:
    path = write(CLINIC.replace("diameter_cm", "diametr_cm"))
    with pytest.raises(
        InputError, match=r"there is no column diameter_cm, .* names for clin_size_long_diam_mm, the near"
    ):
        read_cohort(path, labels="required", columns=COLUMNS)
    with pytest.raises(InputError, match=r"column lesion_uuid is missing"):
        read_cohort(write(CLINIC.replace("lesion_uuid", "id")), columns=COLUMNS)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"agee": ColumnSource("age")}, "agee is none of our columns"),
        ({"age_approx": ColumnSource("age", kind="number")}, "its kind is known"),
        ({"a__b": ColumnSource("age", kind="number")}, "cannot name a feature"),
        ({"sex": ColumnSource("gender", times=10)}, "is no number"),
        ({"age_approx": ColumnSource("age", malignant=("x",))}, "is not the target"),
        ({"target": ColumnSource("dx", benign=("x",))}, "says what is benign alone"),
        ({"thick": ColumnSource("mel_thick_mm", kind="number")}, "would tell the diagnosis"),
        ({"biopsed": ColumnSource("x", kind="category")}, "would tell the diagnosis"),
        (
            {"target": ColumnSource("histo", malignant=("x",)), "h": ColumnSource("histo", kind="category")},
            "would tell the diagnosis",
        ),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(columns: dict[str, ColumnSource], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_mapping(columns)


def test_tables_are_joined_by_lesion_and_by_patient(write: Write) -> None:
    lesions = write("isic_id,patient_id,clin_size_long_diam_mm\nL1,P1,3\nL2,P1,4\nL3,P2,5\n")
    labels = write("isic_id,target\nL3,0\nL1,1\nL2,0\n", "labels.csv")
    patients = write("patient_id;age_approx;sex\nP2;70,5;m\nP1;50;f\n", "patients.csv")
    frame = read_cohort(lesions, labels="required", join=(labels, patients)).frame
    assert frame.select("isic_id", "target", "age_approx", "sex").rows() == [
        ("L1", 1, 50.0, "f"),
        ("L2", 0, 50.0, "f"),
        ("L3", 0, 70.5, "m"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,target\nL1,1\n", "no column of it is one of table.csv"),
        ("isic_id,target\nL1,1\nL1,0\n", "isic_id 'L1' is there more than once"),
        ("isic_id,target\nX1,1\n", "not one isic_id of it is in the first table"),
    ],
)
def test_tables_that_do_not_belong_together_are_refused(text: str, message: str, write: Write) -> None:
    lesions, other = write("isic_id,patient_id\nL1,P1\nL2,P1\n"), write(text, "other.csv")
    with pytest.raises(InputError, match=message):
        read_cohort(lesions, labels="required", join=(other,))


def test_what_is_suggested_is_read(write: Write) -> None:
    path = write(CLINIC)
    said = tomllib.loads(suggest(path))["data"]
    columns = {
        name: ColumnSource(**source) if isinstance(source, dict) else ColumnSource(source)
        for name, source in said["columns"].items()
    }
    check_mapping(columns)
    assert columns.pop("crust_score") == ColumnSource("crust score", kind="number")
    assert columns.pop("sex") == ColumnSource("gender")
    assert columns.pop("target") == ColumnSource("histology", malignant=["Melanoma"])  # type: ignore[arg-type]
    assert columns == {name: COLUMNS[name] for name in columns}
    assert len(columns) == 5
    assert Path(said["metadata"]) == path
    assert "# left out, known only with the diagnosis: biopsy date" in suggest(path)
    assert not [one for one in check_data(path, columns=COLUMNS) if one.is_error]


@pytest.mark.parametrize(
    ("name", "cells", "line"),
    [
        ("Alter", ["20", "55", "80"], 'age_approx = "Alter"'),
        ("age_months", ["240", "660", "960"], 'age_approx = { column = "age_months", times = 0.083333 }'),
        ("Durchmesser", ["0.3", "0.5", "0.9"], 'clin_size_long_diam_mm = { column = "Durchmesser", times = 10 }'),
        ("Durchmesser", ["3", "5", "9"], 'clin_size_long_diam_mm = "Durchmesser"'),
        ("malign", ["yes", "no", "yes"], 'target = { column = "malign", malignant = ["yes"] }'),
        ("diagnosis", ["BCC", "not malignant", "BCC"], 'target = { column = "diagnosis", malignant = ["BCC"] }'),
        ("label", ["1", "0", "1"], 'target = "label"'),
        ("Breslow", ["1.2", "0.4", "0.7"], "# left out, known only with the diagnosis: Breslow"),
    ],
)
def test_units_and_labels_are_told_from_what_a_column_holds(
    name: str, cells: list[str], line: str, write: Write
) -> None:
    rows = "".join(f"x{number},p,{cell}\n" for number, cell in enumerate(cells))
    assert line in suggest(write(f"photo,patient,{name}\n{rows}"))


def test_a_published_table_needs_no_mapping(real_data: Path) -> None:
    said = suggest(real_data / "pad_ufes_20" / "metadata.csv")
    assert said.startswith("# Read as PAD-UFES-20 as it is")
    assert tomllib.loads(said)["data"]["columns"]["has_piped_water"] == {
        "column": "has_piped_water",
        "kind": "category",
    }
