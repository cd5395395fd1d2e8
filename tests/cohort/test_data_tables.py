from pathlib import Path

from cohort.checking.codes import DATA_CHECKS
from cohort.columns import SLICE3D
from cohort.data_tables import checks_table, columns_table, fill
from cohort.datasets import DATASETS

DOCUMENT = Path(__file__).parents[2] / "docs" / "data.md"


def test_the_document_is_up_to_date() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert fill(text) == text, "run: python -m cohort.data_tables docs/data.md"


def test_the_document_describes_every_dataset() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert all(f"<!-- columns:{dataset.name} -->" in text for dataset in DATASETS)


def test_a_table_has_a_row_for_each_column() -> None:
    lines = columns_table(DATASETS[0]).splitlines()
    assert len(lines) == 2 + len(SLICE3D)
    assert lines[5].startswith("| `age_approx` |  | feature, number | Float64 | years | 0 to 85 | age at imaging")


def test_renamed_columns_show_their_name_in_the_file() -> None:
    isic2020 = next(dataset for dataset in DATASETS if dataset.name == "isic2020")
    assert "| `isic_id` | `image_name` | id |" in columns_table(isic2020)


def test_text_outside_the_markers_stays() -> None:
    text = "before\n<!-- checks -->\nold\n<!-- end -->\nafter <!-- other --> x <!-- end -->\n"
    assert (
        fill(text)
        == f"before\n<!-- checks -->\n{checks_table(DATA_CHECKS)}\n<!-- end -->\nafter <!-- other --> x <!-- end -->\n"
    )


def test_codes_are_unique_and_in_order() -> None:
    codes = [check.code for check in DATA_CHECKS]
    assert codes == sorted(set(codes))
