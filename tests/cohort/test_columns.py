from pathlib import Path

import polars as pl
import pytest

from cohort.columns import (
    CATEGORICAL,
    NEVER_FEATURES,
    NUMERIC,
    SLICE3D,
    TEST_COLUMNS,
)

TRAIN_COLUMNS = tuple(column.name for column in SLICE3D)
TRAIN_ONLY = {column.name for column in SLICE3D if column.role == "train_only"}


def test_slice3d_has_the_official_number_of_columns() -> None:
    # 55 = id, target, patient + 34 numbers + 6 categories + image type, licence + 10 train-only
    assert (len(TRAIN_COLUMNS), len(TEST_COLUMNS)) == (55, 44)
    assert (len(NUMERIC), len(CATEGORICAL)) == (34, 6)
    assert len([name for name in NUMERIC if name.startswith("tbp_lv_")]) == 32


def test_columns_of_the_test_table_are_all_but_the_eleven_that_follow_from_the_diagnosis() -> None:
    only_train = ["target", "lesion_id", "iddx_full", *(f"iddx_{level}" for level in range(1, 6))]
    only_train += ["mel_mitotic_index", "mel_thick_mm", "tbp_lv_dnn_lesion_confidence"]
    assert [name for name in TRAIN_COLUMNS if name not in TEST_COLUMNS] == only_train
    assert {*only_train} - {"target"} <= TRAIN_ONLY


def test_what_may_become_a_feature_and_what_never_does_share_no_name() -> None:
    assert not NEVER_FEATURES.intersection(NUMERIC, CATEGORICAL)
    assert {*NEVER_FEATURES} >= {*TRAIN_ONLY, "target", "isic_id", "patient_id", "copyright_license", "dx", "diagnosis"}


def test_every_slice3d_column_is_either_allowed_or_forbidden() -> None:
    assert {*NUMERIC, *CATEGORICAL} | NEVER_FEATURES >= {*TRAIN_COLUMNS}


@pytest.mark.parametrize("column", SLICE3D, ids=lambda column: column.name)
def test_numbers_have_a_range_and_texts_have_none(column: object) -> None:
    number = column.dtype != pl.String  # type: ignore[attr-defined]
    assert (column.low is not None, column.high is not None) == (number, number)  # type: ignore[attr-defined]


def test_order_is_that_of_the_published_files(real_data: Path) -> None:
    train = pl.read_csv(real_data / "slice3d/example/train-metadata.csv", n_rows=1)
    test = pl.read_csv(real_data / "slice3d/example/test-metadata.csv", n_rows=1)
    assert (tuple(train.columns), tuple(test.columns)) == (TRAIN_COLUMNS, TEST_COLUMNS)


def test_plausible_ranges_cover_the_published_extremes(real_data: Path) -> None:
    import json

    published = json.loads((real_data / "slice3d/statistics.json").read_text("utf-8"))["columns"]
    known = {column.name: column for column in SLICE3D if column.low is not None}
    outside = {
        name
        for name, facts in published.items()
        if name in known and "min" in facts and not known[name].low <= facts["min"] <= facts["max"] <= known[name].high
    }
    assert outside == set()
