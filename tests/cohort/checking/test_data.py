"""`check_data` on tables and folders; every code has a case where it is found."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest

from cohort.checking import check_data
from cohort.checking.codes import DATA_CHECKS
from cohort.findings import Finding
from cohort.mapping import ColumnSource

Rows = Callable[..., pl.DataFrame]
Write = Callable[..., Path]


def _by_code(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.code: finding for finding in findings}


def _found(findings: list[Finding]) -> set[str]:
    return {finding.code for finding in findings if finding.status == "found"}


def _write_crops(path: Path, ids: list[str]) -> None:
    with h5py.File(path, "w") as file:
        for name in ids:
            file.create_dataset(name, data=np.bytes_(b"\xff\xd8\xff"))


@pytest.fixture
def folder(slice3d: Rows, slice3d_test: Rows, write: Write) -> Path:
    """A sound folder: 40 train lesions, 6 test lesions of other patients, sample submission, crops of both."""
    train, test = slice3d(40), slice3d_test(6, seed=1, start=1000)
    write(train, "train-metadata.csv")
    write(test.select("isic_id", target=pl.lit(0.3)), "sample_submission.csv")
    folder = write(test, "test-metadata.csv").parent
    _write_crops(folder / "train-image.hdf5", train["isic_id"].to_list())
    _write_crops(folder / "test-image.hdf5", test["isic_id"].to_list())
    return folder


def test_a_sound_folder_has_no_errors_and_no_warnings(folder: Path) -> None:
    findings = check_data(folder)
    assert {finding.severity for finding in findings if finding.status == "found"} == {"info"}
    assert {finding.code for finding in findings} == {check.code for check in DATA_CHECKS} - {"UD112", "UD113"}


def test_findings_come_in_a_fixed_order(folder: Path) -> None:
    places = [(finding.where, finding.code) for finding in check_data(folder)]
    train = [code for where, code in places if where == "train-metadata.csv"]
    assert train == sorted(train)
    assert [place for place, _ in places][: len(train)] == ["train-metadata.csv"] * len(train)
    assert places == [(finding.where, finding.code) for finding in check_data(folder)]


def test_a_sound_table_is_clear_of_every_row_check(slice3d: Rows, write: Write) -> None:
    by_code = _by_code(check_data(write(slice3d(40))))
    assert [by_code[f"UD{number}"].status for number in range(101, 112)] == ["clear"] * 11
    assert by_code["UD125"].measured == "8 of 40 (20.000%), in 4 patients"
    assert by_code["UD124"].measured == "none of 4 patients with 10 to 10 lesions"


def test_rows_checks_of_labels_do_not_apply_to_a_test_table(slice3d_test: Rows, write: Write) -> None:
    by_code = _by_code(check_data(write(slice3d_test(8))))
    assert [by_code[code].status for code in ("UD107", "UD110", "UD125", "UD126")] == ["not applicable"] * 4


def test_an_unreadable_table_is_one_finding(write: Write) -> None:
    (finding,) = check_data(write(b"\x89HDF\r\n"))
    assert (finding.code, finding.is_error) == ("UD101", True)
    assert "not a table but an HDF5 file" in finding.measured


def test_a_folder_without_tables_is_an_error(tmp_path: Path) -> None:
    (finding,) = check_data(tmp_path)
    assert (finding.code, finding.is_error) == ("UD101", True)


def test_a_missing_column_stops_the_check(slice3d: Rows, write: Write) -> None:
    findings = check_data(write(slice3d(8).drop("patient_id")))
    assert [(finding.code, finding.status) for finding in findings] == [("UD101", "clear"), ("UD102", "found")]


def test_a_bad_cell_is_found(slice3d: Rows, write: Write) -> None:
    assert "UD103" in _found(check_data(write(slice3d(8).with_columns(tbp_lv_L=pl.lit("dark")))))


def test_every_broken_rule_is_reported_at_once(slice3d: Rows, write: Write) -> None:
    frame = slice3d(8)
    broken = frame.with_columns(
        isic_id=pl.Series(["odd id", *["ISIC_1"] * 2, *frame["isic_id"][3:]]),
        patient_id=pl.Series([None, *frame["patient_id"][1:]]),
        target=pl.Series([2, *frame["target"][1:]]),
        tbp_lv_A=pl.lit(float("inf")),
        tbp_lv_areaMM2=pl.lit(-1.0),
        iddx_1=pl.lit("Malignant"),
    )
    findings = check_data(write(broken))
    assert _found(findings) == {f"UD{number}" for number in range(104, 111)}
    by_code = _by_code(findings)
    # One odd id, two equal ones, and of 8 malignant diagnoses only row 6 has target 1 (row 1 has target 2).
    assert [by_code[f"UD{number}"].values["rows"] for number in range(104, 111)] == [1, 2, 1, 1, 8, 8, 7]


def test_contents_are_measured(slice3d: Rows, write: Write) -> None:
    frame = slice3d(10).with_columns(
        patient_id=pl.Series(["IP_0"] * 9 + ["IP_1"]),
        target=pl.lit(0),
        iddx_1=pl.lit("Benign"),
        sex=pl.Series(["male"] * 4 + [None] * 6),
        tbp_lv_stdL=pl.Series([*[5.0] * 9, 500.0]),
        tbp_lv_deltaB=pl.lit(99.0),
        stranger=pl.lit(1),
    )
    by_code = _by_code(check_data(write(frame)))
    assert by_code["UD111"].measured == "1 left out: stranger"
    assert by_code["UD120"].measured == "in 1 of 40 columns: sex 60.00%"
    assert "tbp_lv_stdL in 1 rows (5 to 500, plausible 0 to 30)" in by_code["UD121"].measured
    assert by_code["UD122"].measured.startswith("deltaB = B - Bext in 10 rows")
    assert by_code["UD123"].measured == "2: sex, tbp_lv_deltaB"
    assert by_code["UD124"].measured.startswith("1 of 2 patients with 1 to 9 lesions")
    assert by_code["UD125"].measured == "0 of 10 (0.000%), in 0 patients"
    assert by_code["UD126"].status == "found"


def test_lists_are_cut_after_six(slice3d: Rows, write: Write) -> None:
    empty = [pl.lit(None, dtype=pl.Float64).alias(f"tbp_lv_{name}") for name in ("A", "B", "C", "H", "L", "x", "y")]
    measured = _by_code(check_data(write(slice3d(10).with_columns(empty))))["UD120"].measured
    assert measured.endswith("and 1 more")


def test_train_and_test_are_compared(folder: Path, slice3d_test: Rows, write: Write) -> None:
    test = slice3d_test(6, seed=1).with_columns(attribution=pl.Series(["Elsewhere"] * 2 + ["attribution 1"] * 4))
    write(test, "test-metadata.csv")
    by_code = _by_code(check_data(folder))
    assert by_code["UD131"].measured == "6 of 6, the first is ISIC_0000000"
    assert by_code["UD132"].measured == "4 of 4, the first is IP_0000000"
    assert by_code["UD133"].measured == "in 2 of 6 rows, attribution: Elsewhere"
    assert by_code["UD134"].measured == "6 test ids are missing, 6 are not in the test table, 0 repeated"
    assert by_code["UD142"].measured == "6 of 6, the first is ISIC_0000000"
    assert by_code["UD143"].measured == "6 of 6, the first is ISIC_0001000"


def test_a_users_own_category_is_compared_too(folder: Path, slice3d: Rows, slice3d_test: Rows, write: Write) -> None:
    write(slice3d(40).with_columns(itches=pl.Series(["yes", "no"] * 20)), "train-metadata.csv")
    write(slice3d_test(6, seed=1, start=1000).with_columns(itches=pl.lit("at night")), "test-metadata.csv")
    by_code = _by_code(check_data(folder, columns={"itch": ColumnSource("itches", kind="category")}))
    assert by_code["UD133"].measured == "in 6 of 6 rows, category_itch: at night"


def test_an_unreadable_table_makes_comparisons_not_applicable(folder: Path) -> None:
    (folder / "test-metadata.csv").write_bytes(b"{}")
    by_code = _by_code(check_data(folder))
    assert {by_code[code].status for code in ("UD131", "UD132", "UD133", "UD134")} == {"not applicable"}


def test_a_sample_submission_in_another_order_is_fine(folder: Path) -> None:
    path = folder / "sample_submission.csv"
    pl.read_csv(path).reverse().write_csv(path)
    finding = _by_code(check_data(folder))["UD134"]
    assert (finding.status, finding.measured) == ("clear", "all 6 ids, in another order")


def test_a_repeated_id_in_the_sample_submission_is_found(folder: Path) -> None:
    path = folder / "sample_submission.csv"
    table = pl.read_csv(path)
    pl.concat([table, table[:1]]).write_csv(path)
    measured = _by_code(check_data(folder))["UD134"].measured
    assert measured == "0 test ids are missing, 0 are not in the test table, 1 repeated"


def test_a_damaged_sample_submission_is_found(folder: Path) -> None:
    (folder / "sample_submission.csv").write_text("id\n1\n", "utf-8")
    assert "UD134" in _found(check_data(folder))


@pytest.mark.parametrize("link", [h5py.SoftLink("/ISIC_0000000"), h5py.ExternalLink("other.hdf5", "/x")])
def test_links_in_an_image_file_are_an_error(link: object, folder: Path) -> None:
    with h5py.File(folder / "train-image.hdf5", "a") as file:
        file["ISIC_link"] = link
    finding = _by_code([one for one in check_data(folder) if one.where == "train-image.hdf5"])["UD141"]
    assert (finding.is_error, finding.measured) == (True, "1 links to other places, the first is ISIC_link")


def test_a_damaged_image_file_is_an_error(folder: Path) -> None:
    (folder / "train-image.hdf5").write_bytes(b"\x89HDF\r\n\x1a\n")
    finding = next(one for one in check_data(folder) if one.where == "train-image.hdf5")
    assert (finding.code, finding.is_error) == ("UD141", True)


def test_a_duplicates_list_in_the_folder_is_used(isic2020: pl.DataFrame, write: Write) -> None:
    write("image_name_1,image_name_2\nISIC_6,ISIC_5\n", "ISIC_2020_Training_Duplicates.csv")
    folder = write(isic2020, "ISIC_2020_Training_GroundTruth_v2.csv").parent
    by_code = _by_code(check_data(folder))
    assert by_code["UD112"].values == {"pairs": 1, "present": 1}
    assert by_code["UD113"].status == "found"


def test_a_damaged_duplicates_list_is_an_error(isic2020: pl.DataFrame, write: Write) -> None:
    findings = check_data(write(isic2020), duplicates=write("a\n1\n", "pairs.csv"))
    assert [finding.where for finding in findings if finding.is_error] == ["pairs.csv"]


def test_isic2018_is_checked_with_and_without_groups(
    isic2018: pl.DataFrame, ham10000: pl.DataFrame, write: Write
) -> None:
    truth = write(isic2018, "ISIC2018_Task3_Training_GroundTruth.csv")
    assert _by_code(check_data(truth))["UD114"].status == "found"
    write(ham10000, "HAM10000_metadata.csv")
    grouped = [one for one in check_data(truth.parent) if one.code == "UD114"]
    assert {finding.status for finding in grouped} == {"clear"}


def test_a_table_without_patients_is_checked_as_ungrouped(slice3d: Rows, write: Write) -> None:
    path = write(slice3d(10).select("isic_id", "target", "age_approx"))
    assert _found(check_data(path)) == {"UD102"}
    assert "UD114" in _found(check_data(path, ungrouped=True))


def test_gaps_that_tell_the_label_are_named(write: Write) -> None:
    rows = [f"ISIC_{n},P{n},{int(n < 30)},{50 if n < 60 else ''},{50 if n % 2 else ''}" for n in range(120)]
    path = write("isic_id,patient_id,target,age_approx,tbp_lv_L\n" + "\n".join(rows))
    (found,) = [one for one in check_data(path) if one.code == "UD127" and one.status == "found"]
    # 30 of 60 lesions with an age are malignant, none of the 60 without; every other lightness is there.
    assert found.measured.endswith(
        "1, so figures may be flattered: age_approx (0.0% malignant where empty, 50.0% elsewhere)"
    )
