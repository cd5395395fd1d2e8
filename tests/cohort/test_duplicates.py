from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cohort.duplicates import read_pairs
from cohort.reading import read_cohort
from engine.errors import InputError

Write = Callable[..., Path]
HEADER = "image_name_1,image_name_2\n"


def test_dropping_keeps_the_smallest_id_of_each_set(isic2020: pl.DataFrame, write: Write) -> None:
    # 6-5 and 5-4 are one set, of which 4 stays; 9 is in no table.
    pairs = write(f"{HEADER}ISIC_6,ISIC_5\nISIC_5,ISIC_4\nISIC_9,ISIC_1\n", "duplicates.csv")
    cohort = read_cohort(write(isic2020), duplicates=pairs)
    assert cohort.given_order.to_list() == ["ISIC_4", "ISIC_3", "ISIC_2", "ISIC_1"]
    assert cohort.frame["isic_id"].to_list() == ["ISIC_3", "ISIC_4", "ISIC_1", "ISIC_2"]
    measured = {finding.code: finding.measured for finding in cohort.findings}
    assert measured["UD112"] == (
        "2 of 3 listed pairs are in the table: 3 images, 2 of them left out (the smallest id of each set stays)"
    )
    # 5 is malignant, 6 and 4 are not.
    assert measured["UD113"] == "1 of 1 pictures, the first is ISIC_4"


def test_grouping_links_patients_who_share_a_picture(isic2020: pl.DataFrame, write: Write) -> None:
    # Patients 3 and 2 share a picture (1-3); patient 1 shares none, its own pair (6-5) changes nothing.
    pairs = write(f"{HEADER}ISIC_1,ISIC_3\nISIC_6,ISIC_5\n", "duplicates.csv")
    frame = read_cohort(write(isic2020), duplicates=pairs, duplicate_policy="group").frame
    assert dict(frame.select("patient_id", "group").iter_rows()) == {"IP_1": "IP_1", "IP_2": "IP_2", "IP_3": "IP_2"}
    assert frame["group"].dtype == pl.String


@pytest.mark.parametrize(
    ("listed", "kept"),
    [
        # Every row of a patient who shares a picture with another is kept together, not just the copies.
        ("ISIC_1,ISIC_3\n", "4 rows of 2 patients"),
        ("ISIC_1,ISIC_3\nISIC_4,ISIC_5\n", "6 rows of 3 patients"),
        ("ISIC_6,ISIC_5\n", "0 rows of 0 patients"),
    ],
)
def test_rows_that_are_kept_together_are_counted(listed: str, kept: str, isic2020: pl.DataFrame, write: Write) -> None:
    pairs = write(HEADER + listed, "duplicates.csv")
    cohort = read_cohort(write(isic2020), duplicates=pairs, duplicate_policy="group")
    found = {finding.code: finding.measured for finding in cohort.findings}["UD112"]
    assert found.endswith(f"; {kept} who share pictures are kept together")
    assert (
        int(kept.split(maxsplit=1)[0]) == cohort.frame.filter(pl.col("patient_id").n_unique().over("group") > 1).height
    )


def test_grouping_follows_chains_of_patients(isic2020: pl.DataFrame, write: Write) -> None:
    pairs = write(f"{HEADER}ISIC_1,ISIC_3\nISIC_4,ISIC_5\n", "duplicates.csv")
    frame = read_cohort(write(isic2020), duplicates=pairs, duplicate_policy="group").frame
    assert frame["group"].unique().to_list() == ["IP_1"]


def test_without_a_list_nothing_is_dropped_or_grouped(isic2020: pl.DataFrame, write: Write) -> None:
    cohort = read_cohort(write(isic2020))
    assert len(cohort.frame) == 6
    assert "group" not in cohort.frame.columns


def test_an_empty_list_drops_nothing(isic2020: pl.DataFrame, write: Write) -> None:
    cohort = read_cohort(write(isic2020), duplicates=write(HEADER, "duplicates.csv"))
    assert len(cohort.frame) == 6
    assert cohort.findings[-1].status == "clear"


def test_labels_are_not_compared_where_there_are_none(isic2020: pl.DataFrame, write: Write) -> None:
    unlabelled = isic2020.drop("target", "diagnosis", "benign_malignant")
    cohort = read_cohort(write(unlabelled), duplicates=write(f"{HEADER}ISIC_1,ISIC_2\n", "duplicates.csv"))
    assert cohort.findings[-1].status == "not applicable"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("image_name_1\nISIC_1\n", "column image_name_2 is missing"),
        (f"{HEADER}ISIC_1,\n", "row 1 .*one name of the pair"),
    ],
)
def test_a_damaged_list_is_refused(content: str, message: str, write: Write) -> None:
    with pytest.raises(InputError, match=message):
        read_pairs(write(content))
