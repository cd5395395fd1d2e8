"""Published tables in their own layouts: what is malignant, who is a patient, what becomes a feature."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cohort.column import CATEGORY, NUMBER
from cohort.columns import NEVER_FEATURES
from cohort.dataset import Dataset
from cohort.datasets import DATASETS
from cohort.reading import Cohort, read_cohort
from engine.errors import InputError

Write = Callable[..., Path]

ARCHIVE = (
    "isic_id,patient_id,lesion_id,age_approx,sex,clin_size_long_diam_mm,image_type,diagnosis_1,diagnosis_2,nevus_type"
)
MILK = "lesion_id,image_type,isic_id,image_manipulation,age_approx,sex,skin_tone_class,site,MONET_hair"
MILK_TRUTH = "lesion_id,AKIEC,BCC,BEN_OTH,BKL,DF,INF,MAL_OTH,MEL,NV,SCCKA,VASC"
PAD = "patient_id,lesion_id,smoke,age,gender,fitspatrick,region,diameter_1,diagnostic,itch,img_id,biopsed"
BCN = "bcn_filename,age_approx,anatom_site_general,diagnosis,lesion_id,capture_date,sex,split"


def _read(path: Path) -> dict[str, tuple[str, int]]:
    """Patient and target by id."""
    frame = read_cohort(path, labels="required").frame
    return {row["isic_id"]: (row["patient_id"], row["target"]) for row in frame.iter_rows(named=True)}


def _found(cohort: Cohort, code: str) -> str:
    (finding,) = [one for one in cohort.findings if one.code == code]
    return finding.measured if finding.status == "found" else ""


def test_an_export_of_the_archive(write: Write) -> None:
    rows = [
        "ISIC_1,IP_1,IL_1,50,male,3,dermoscopic,Malignant,x,",
        "ISIC_2,IP_1,,50,male,4,dermoscopic,Benign,x,blue",
        "ISIC_3,,IL_3,50,male,,dermoscopic,Indeterminate,x,",
        "ISIC_4,,,50,male,,dermoscopic,benign,,",
        "ISIC_5,IP_5,,50,male,,dermoscopic,,,",
    ]
    path = write("\n".join([ARCHIVE, *rows]))
    assert _read(path) == {"ISIC_1": ("IP_1", 1), "ISIC_2": ("IP_1", 0), "ISIC_3": ("IL_3", 0), "ISIC_4": ("ISIC_4", 0)}
    cohort = read_cohort(path, labels="required")
    assert (_found(cohort, "UD117"), _found(cohort, "UD114")) == (
        "1 of 5: left out",
        "1 of 4; each counts as a patient of its own",
    )
    to_score = read_cohort(path)
    assert to_score.frame.height == 5
    assert "target" not in to_score.frame.columns
    assert _found(to_score, "UD117") == "1 of 5: so labels are not used"


@pytest.mark.parametrize("column", ["anatom_site_1", "anatom_site_general"])
def test_the_archive_names_a_body_site_as_it_did_when_the_table_was_exported(column: str, write: Write) -> None:
    path = write(f"isic_id,lesion_id,age_approx,{column},diagnosis_1\nISIC_1,IL_1,50,Trunk,Benign\n")
    assert read_cohort(path).frame["anatom_site_general"].to_list() == ["Trunk"]


def test_an_older_export_of_the_archive(write: Write) -> None:
    rows = "ISIC_1,IL_1,malignant,melanoma\nISIC_2,IL_2,indeterminate/benign,\n"
    assert _read(write(f"isic_id,lesion_id,benign_malignant,diagnosis\n{rows}")) == {
        "ISIC_1": ("IL_1", 1),
        "ISIC_2": ("IL_2", 0),
    }


@pytest.mark.parametrize("folder", ["", "ISIC_2024_Training_Input/"])
@pytest.mark.parametrize("kind", ["Permissive_Training", "Training"])
def test_isic_2024_in_the_files_of_isic(folder: str, kind: str, write: Write) -> None:
    metadata = write("isic_id,patient_id,age_approx,sex\nISIC_1,IP_1,50,male\nISIC_2,IP_2,,\n", f"{folder}metadata.csv")
    write("isic_id,malignant\nISIC_2,0\nISIC_1,1\n", f"ISIC_2024_{kind}_GroundTruth.csv")
    write(
        "isic_id,iddx_full,iddx_1,attribution\nISIC_1,Malignant::x,Malignant,A\nISIC_2,Benign,Benign,B\n",
        f"ISIC_2024_{kind}_Supplement.csv",
    )
    assert _read(metadata) == {"ISIC_1": ("IP_1", 1), "ISIC_2": ("IP_2", 0)}
    cohort = read_cohort(metadata)
    assert cohort.frame["attribution"].to_list() == ["A", "B"]
    names = [f"ISIC_2024_{kind}_{part}.csv" for part in ("GroundTruth", "Supplement")]
    assert _found(cohort, "UD116") == ", ".join(f"joined with {name} by isic_id" for name in names)


def test_the_official_test_metadata_of_isic_2020(write: Write) -> None:
    cohort = read_cohort(
        write(
            "image,patient,age_approx,anatom_site_general,sex\nISIC_1,IP_1,50,torso,male\n",
            "ISIC_2020_Test_Metadata.csv",
        )
    )
    assert cohort.dataset == "isic2020"
    assert cohort.frame.row(0) == ("ISIC_1", "IP_1", "male", 50.0, "torso")


def test_isic_2019_with_empty_lesions_and_a_class_for_none_of_them(write: Write) -> None:
    metadata = write(
        "image,age_approx,anatom_site_general,lesion_id,sex\nISIC_1,50,torso,L_1,male\nISIC_2,,,L_1,\nISIC_3,,,,\nISIC_4,,,,\n",
        "ISIC_2019_Training_Metadata.csv",
    )
    truth = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK\nISIC_1,0,0,0,1,0,0,0,0,0\nISIC_2,0,0,0,0,0,0,0,1,0\n"
    write(f"{truth}ISIC_3,0,1,0,0,0,0,0,0,0\nISIC_4,0,0,0,0,0,0,0,0,1\n", "ISIC_2019_Training_GroundTruth.csv")
    assert _read(metadata) == {"ISIC_1": ("L_1", 1), "ISIC_2": ("L_1", 1), "ISIC_3": ("ISIC_3", 0)}


def test_ham10000_as_the_archive_of_harvard_gives_it(ham10000: pl.DataFrame, write: Write) -> None:
    commas = write(ham10000)
    tabs = write(ham10000.write_csv(separator="\t"), "HAM10000_metadata")
    assert read_cohort(tabs).frame.equals(read_cohort(commas).frame)
    assert _found(read_cohort(tabs), "UD116") == "columns separated by tabs"


def test_pad_ufes_20(write: Write) -> None:
    rows = [
        "PAT_1,7,FALSE,55,FEMALE,3,NECK,6,BCC,TRUE,PAT_1_7_1.png,TRUE",
        "PAT_2,8,,8,,,ARM,,ACK,UNK,PAT_2_8_2.png,FALSE",
    ]
    path = write("\n".join([PAD, *rows]))
    assert _read(path) == {"PAT_1_7_1": ("PAT_1", 1), "PAT_2_8_2": ("PAT_2", 0)}
    frame = read_cohort(path).frame
    assert frame["category_itch"].to_list() == ["TRUE", None]
    assert frame["number_fitspatrick"].to_list() == [3.0, None]
    assert frame["clin_size_long_diam_mm"].to_list() == [6.0, None]


def test_milk10k_has_two_images_of_a_lesion(write: Write) -> None:
    rows = [
        "IL_1,clinical: close-up,ISIC_1,altered,50,male,3,trunk,0.5",
        "IL_1,dermoscopic,ISIC_2,,50,male,3,trunk,0.1",
    ]
    metadata = write(
        "\n".join([MILK, *rows, "IL_2,dermoscopic,ISIC_3,,50,male,3,trunk,0.2"]), "MILK10k_Training_Metadata.csv"
    )
    write(f"{MILK_TRUTH}\nIL_1,0,0,0,0,0,0,1,0,0,0,0\nIL_2,0,0,1,0,0,0,0,0,0,0,0\n", "MILK10k_Training_GroundTruth.csv")
    write(
        "isic_id,diagnosis_full,diagnosis_confirm_type,invasion_thickness_interval\nISIC_1,x,,\nISIC_2,x,,\nISIC_3,x,,\n",
        "MILK10k_Training_Supplement.csv",
    )
    assert _read(metadata) == {"ISIC_1": ("IL_1", 1), "ISIC_2": ("IL_1", 1), "ISIC_3": ("IL_2", 0)}
    cohort = read_cohort(metadata)
    assert _found(cohort, "UD111") == ""
    assert cohort.frame["number_MONET_hair"].to_list() == [0.5, 0.1, 0.2]


def test_bcn20000(write: Write) -> None:
    rows = ["BCN_1.jpg,55.0,torso,MEL,L_1,2012-05-16,male,train", "BCN_2.jpg,,,NV,,,,train", "BCN_3.jpg,,,,L_3,,,test"]
    assert _read(write("\n".join([BCN, *rows]))) == {"BCN_1": ("L_1", 1), "BCN_2": ("BCN_2", 0)}
    test = read_cohort(write("\n".join([BCN, rows[2]])))
    assert (test.frame.height, "target" in test.frame.columns) == (1, False)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.title)
def test_nothing_that_follows_from_the_diagnosis_becomes_a_feature(dataset: Dataset) -> None:
    for column in dataset.columns:
        if column.role not in {"numeric", "category"}:
            assert column.name in NEVER_FEATURES
        elif column.name.startswith((NUMBER, CATEGORY)):
            assert column.name.removeprefix(NUMBER).removeprefix(CATEGORY) not in NEVER_FEATURES - {"image_type"}
    if dataset.labels:
        assert {*dataset.labels.columns} <= NEVER_FEATURES


@pytest.mark.parametrize(
    ("header", "part", "whole"),
    [
        ("isic_id,malignant", "the ground truth of ISIC 2024", "metadata.csv"),
        ("isic_id,lesion_id,iddx_full,iddx_1", "the supplement of ISIC 2024", "metadata.csv"),
        ("image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK", "the ground truth of ISIC 2019", "ISIC_2019_Training_Metadata.csv"),
        (MILK_TRUTH, "the ground truth of MILK10k", "MILK10k_Training_Metadata.csv"),
    ],
)
def test_a_part_alone_is_named_with_the_one_thing_to_do(header: str, part: str, whole: str, write: Write) -> None:
    path = write(f"{header}\n{','.join(['0'] * len(header.split(',')))}\n")
    with pytest.raises(InputError, match=f"this looks like {part}: ") as raised:
        read_cohort(path, labels="required")
    assert raised.value.remedy == f"name {whole} in its place, and put this next to it or list it under [data] join"


@pytest.mark.parametrize(
    ("header", "truth"),
    [
        ("isic_id,patient_id,age_approx,sex", "ISIC_2024_Training_GroundTruth.csv"),
        ("image,age_approx,anatom_site_general,lesion_id,sex", "ISIC_2019_Training_GroundTruth.csv"),
        (MILK, "MILK10k_Training_GroundTruth.csv"),
    ],
)
def test_metadata_without_its_ground_truth_names_it(header: str, truth: str, write: Write) -> None:
    with pytest.raises(InputError) as raised:
        read_cohort(write(f"{header}\n{','.join(['0'] * len(header.split(',')))}\n"), labels="required")
    assert (
        raised.value.remedy == f"give a table with labels, or list the one that holds them ({truth}) under [data] join"
    )


def test_a_diagnosis_that_is_not_known_is_no_benign_one(write: Write) -> None:
    path = write(f"{PAD}\nPAT_1,7,FALSE,55,FEMALE,3,NECK,6,KELOID,TRUE,PAT_1_7_1.png,TRUE")
    with pytest.raises(InputError, match=r"'KELOID' is not one of ack, bcc, mel, nev, scc, sek"):
        read_cohort(path)


def test_renaming_is_advised_only_where_there_is_something_to_rename(tmp_path: Path) -> None:
    for header, advice in {
        "isic_id,target": "SLICE-3D (ISIC 2024) needs it: add it, or use the official file, or read the table as",
        "isic_id,target,patient": "SLICE-3D (ISIC 2024) needs it: rename the column, or read the table as ungrouped",
    }.items():
        pl.DataFrame({name: ["0"] for name in header.split(",")}).write_csv(tmp_path / "table.csv")
        with pytest.raises(InputError) as raised:
            read_cohort(tmp_path / "table.csv")
        assert raised.value.remedy.startswith(advice)


def test_the_real_tables_in_other_layouts_are_read(real_data: Path) -> None:
    isic2019 = read_cohort(real_data / "isic2019", labels="required")
    assert (isic2019.frame.height, int(isic2019.frame["target"].sum())) == (25331, 4522 + 3323 + 867 + 628)
    pad = read_cohort(real_data / "pad_ufes_20", labels="required")
    assert (pad.frame.height, int(pad.frame["target"].sum()), pad.frame["patient_id"].n_unique()) == (2298, 1089, 1373)
