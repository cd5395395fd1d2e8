from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cohort.lesion_groups import read_lesion_groups
from cohort.reading import read_cohort
from engine.errors import InputError

Write = Callable[..., Path]


def test_lesion_groupings_become_patients(isic2018: pl.DataFrame, write: Write) -> None:
    rows = "".join(f"ISIC_{number},L_{number // 3},histopathology\n" for number in range(9))
    groups = write(f"image,lesion_id,diagnosis_confirm_type\n{rows}", "groups.csv")
    frame = read_cohort(write(isic2018), groups=groups).frame
    assert frame["isic_id"].to_list() == [f"ISIC_{number}" for number in range(1, 8)]
    assert frame["patient_id"].to_list() == ["L_0", "L_0", "L_1", "L_1", "L_1", "L_2", "L_2"]


def test_ham10000_metadata_serves_as_groups(isic2018: pl.DataFrame, ham10000: pl.DataFrame, write: Write) -> None:
    frame = read_cohort(write(isic2018), groups=write(ham10000, "ham.csv")).frame
    expected = dict(ham10000.select("image_id", "lesion_id").iter_rows())
    assert dict(frame.select("isic_id", "patient_id").iter_rows()) == expected


def test_known_groups_win_over_ungrouped(isic2018: pl.DataFrame, ham10000: pl.DataFrame, write: Write) -> None:
    frame = read_cohort(write(isic2018), groups=write(ham10000, "ham.csv"), ungrouped=True).frame
    assert frame["patient_id"].n_unique() == 6


def test_an_image_without_a_lesion_is_named(isic2018: pl.DataFrame, write: Write) -> None:
    groups = write("image,lesion_id\nISIC_1,L_1\nISIC_3,L_1\n", "groups.csv")
    with pytest.raises(InputError, match=r"5 images of .* have no lesion here, the first is ISIC_2"):
        read_cohort(write(isic2018), groups=groups)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("image,patient\nISIC_1,1\n", "this is no list of lesion groups"),
        ("lesion_id\nL_1\n", "this is no list of lesion groups"),
        ("image,lesion_id\nISIC_1,L_1\nISIC_2,NA\n", "row 2 .*its lesion is missing"),
        ("image,lesion_id\nISIC_1,L_1\nISIC_1,L_2\n", "'ISIC_1' is listed twice"),
    ],
)
def test_damaged_groups_are_refused(content: str, message: str, write: Write) -> None:
    with pytest.raises(InputError, match=message):
        read_lesion_groups(write(content))
