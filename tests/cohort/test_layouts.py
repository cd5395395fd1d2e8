"""Published tables in other layouts: the refusal names them, and what it says to do works."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cohort.datasets import DATASETS, Dataset
from cohort.layouts import LAYOUTS, layout_of
from cohort.reading import read_cohort
from engine.errors import InputError

HEADERS = {
    "an export of the ISIC archive": "isic_id,attribution,copyright_license,age_approx,anatom_site_general,"
    "clin_size_long_diam_mm,diagnosis_1,diagnosis_2,diagnosis_3,image_type,lesion_id,patient_id,sex",
    "the ground truth of ISIC 2024": "isic_id,malignant",
    "the supplement of ISIC 2024": "isic_id,lesion_id,iddx_full,iddx_1,iddx_2,mel_mitotic_index,mel_thick_mm",
    "the test metadata of ISIC 2020": "image,patient,age_approx,anatom_site_general_challenge,sex",
    "the ground truth of ISIC 2019": "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK",
    "the metadata of ISIC 2019": "image,age_approx,anatom_site_general,lesion_id,sex",
    "PAD-UFES-20": "patient_id,lesion_id,smoke,age,gender,fitspatrick,region,diameter_1,diagnostic,img_id,biopsed",
    "the metadata of MILK10k (ISIC 2025)": "lesion_id,image_type,isic_id,attribution,copyright_license,"
    "image_manipulation,age_approx,sex,skin_tone_class,site,MONET_ulceration_crust",
    "the ground truth of MILK10k (ISIC 2025)": "lesion_id,AKIEC,BCC,BEN_OTH,BKL,DF,INF,MAL_OTH,MEL,NV,SCCKA,VASC",
    "the metadata of BCN20000": "bcn_filename,age_approx,anatom_site_general,diagnosis,lesion_id,sex,split",
}


def test_every_layout_is_tried() -> None:
    assert HEADERS.keys() == {layout.title for layout in LAYOUTS}


@pytest.mark.parametrize("title", HEADERS)
def test_a_known_layout_is_named_with_the_one_thing_to_do(title: str, tmp_path: Path) -> None:
    header = HEADERS[title].split(",")
    path = tmp_path / "table.csv"
    path.write_text(",".join(header) + "\n" + ",".join(["0"] * len(header)) + "\n")
    with pytest.raises(InputError) as raised:
        read_cohort(path, labels="required")
    assert raised.value.what.startswith(f"this looks like {title}: ")
    (layout,) = [layout for layout in LAYOUTS if layout.title == title]
    assert raised.value.remedy == layout.remedy
    assert "rename the column" not in str(raised.value)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_a_table_that_is_read_is_taken_for_no_other(dataset: Dataset) -> None:
    assert layout_of([field.source for field in dataset.fields]) is None


def test_what_the_advice_makes_is_read(tmp_path: Path) -> None:
    made = {
        "isic_id,diagnosis_1,patient_id,target": "ISIC_1,Malignant,P1,1\nISIC_2,Benign,P2,0",
        "isic_id,malignant,patient_id,target": "ISIC_1,1,P1,1\nISIC_2,0,P2,0",
        "image_name,patient_id,target,age_approx,sex": "PAT_1_2_3,P1,1,50,male\nPAT_4_5_6,P2,0,60,female",
        "isic_id,patient_id,target,age_approx,sex": "ISIC_1,IL_1,1,50,male\nISIC_2,IL_2,0,60,female",
    }
    for header, rows in made.items():
        (tmp_path / "table.csv").write_text(f"{header}\n{rows}\n")
        frame = read_cohort(tmp_path / "table.csv", labels="required").frame
        assert frame["target"].to_list() == [1, 0]
    (tmp_path / "table.csv").write_text("image_name,patient_id,sex\nISIC_1,IP_1,male\n")
    assert read_cohort(tmp_path / "table.csv").frame["patient_id"].to_list() == ["IP_1"]


def test_an_export_with_patients_can_be_scored_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("isic_id,diagnosis_1,patient_id,age_approx\nISIC_1,Benign,P1,50\n")
    assert read_cohort(tmp_path / "table.csv").frame.height == 1


def test_renaming_is_advised_only_where_there_is_something_to_rename(tmp_path: Path) -> None:
    for header, advice in {
        "isic_id,target": "SLICE-3D (ISIC 2024) needs it: add it, or use the official file, or read the table as",
        "isic_id,target,patient": "SLICE-3D (ISIC 2024) needs it: rename the column, or read the table as ungrouped",
    }.items():
        pl.DataFrame({name: ["0"] for name in header.split(",")}).write_csv(tmp_path / "table.csv")
        with pytest.raises(InputError) as raised:
            read_cohort(tmp_path / "table.csv")
        assert raised.value.remedy.startswith(advice)


def test_the_real_tables_in_other_layouts_are_named(real_data: Path) -> None:
    for name, title in {
        "isic2019/ISIC_2019_Training_GroundTruth.csv": "the ground truth of ISIC 2019",
        "isic2019/ISIC_2019_Training_Metadata.csv": "the metadata of ISIC 2019",
        "pad_ufes_20/metadata.csv": "PAD-UFES-20",
    }.items():
        with pytest.raises(InputError, match=f"this looks like {title}"):
            read_cohort(real_data / name, labels="required")
