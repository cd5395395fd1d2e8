"""What a scorer would reject: each defect is found by its own code, and a good file by none."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl
import pytest

from cohort.data_tables import checks_table
from cohort.findings import Finding
from engine.errors import InputError
from submissions.submission import write_submission
from submissions.validation import SUBMISSION_CHECKS, validate_submission

SAMPLE = "isic_id,target\nISIC_1,0.3\nISIC_2,0.3\nISIC_3,0.3\nISIC_4,0.3\n"
GOOD = "isic_id,target\nISIC_1,0.5\nISIC_2,1\nISIC_3,0\nISIC_4,1e-3\n"
DOCUMENT = Path(__file__).parents[2] / "docs" / "submission.md"


def judged(folder: Path, content: str | bytes, sample: str = SAMPLE) -> dict[str, Finding]:
    (folder / "sample.csv").write_text(sample)
    (folder / "s.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    findings = validate_submission(folder / "s.csv", folder / "sample.csv")
    assert [finding.code for finding in findings] == [check.code for check in SUBMISSION_CHECKS]
    return {finding.code: finding for finding in findings}


def found(findings: dict[str, Finding]) -> list[str]:
    return [code for code, finding in findings.items() if finding.status == "found"]


def test_a_good_file_is_clear(tmp_path: Path) -> None:
    findings = judged(tmp_path, GOOD)
    assert found(findings) == []
    assert {finding.status for finding in findings.values()} == {"clear"}


@pytest.mark.parametrize(
    ("codes", "content"),
    [
        (["UD301"], ""),
        (["UD301"], " \n\n"),
        (["UD301"], GOOD.encode("utf-16")),
        (["UD301"], GOOD.encode() + b"ISIC_\xff,1\n"),
        (["UD301"], GOOD.replace("ISIC_4", '"ISIC_4')),
        (["UD302"], b"\xef\xbb\xbf" + GOOD.encode()),
        (["UD303"], GOOD.replace(",", ";")),
        (["UD303"], GOOD.replace(",", "\t")),
        (["UD304", "UD305"], GOOD.replace("isic_id", "image_name")),
        (["UD304", "UD305"], GOOD.replace("target", "Target")),
        (["UD304", "UD305"], GOOD.split("\n", 1)[1]),
        (["UD305"], "".join(f"{n},{line}\n" for n, line in zip(["", 0, 1, 2, 3], GOOD.split(), strict=True))),
        (["UD306"], "".join(",".join(reversed(line.split(","))) + "\n" for line in GOOD.split())),
        (["UD307"], GOOD.replace("0.5", "0,5")),
        (["UD307", "UD314"], GOOD.replace("ISIC_3,0", "ISIC_3")),
        (["UD308", "UD309"], GOOD.rsplit("ISIC_4", 1)[0]),
        (["UD308", "UD310"], GOOD + "ISIC_5,0.5\n"),
        (["UD309", "UD310"], GOOD.replace("ISIC_4", "ISIC_5")),
        (["UD308", "UD311"], GOOD + "ISIC_4,0.5\n"),
        (["UD309", "UD311"], GOOD.replace("ISIC_4", "ISIC_3")),
        (["UD312"], "isic_id,target\nISIC_2,1\nISIC_1,0.5\nISIC_3,0\nISIC_4,1e-3\n"),
        (["UD313"], GOOD.replace("0.5", "high")),
        (["UD313"], GOOD.replace("0.5", "50%")),
        (["UD314"], GOOD.replace("0.5", "")),
        (["UD314"], GOOD.replace("0.5", "nan")),
        (["UD315"], GOOD.replace("0.5", "inf")),
        (["UD315"], GOOD.replace("0.5", "-Infinity")),
        (["UD316"], GOOD.replace("0.5", "1.0000001")),
        (["UD316"], GOOD.replace("0.5", "-1")),
        (["UD317"], SAMPLE),
        (["UD318"], GOOD.replace("isic_id", '"isic_id"').replace("0.5", '"0.5"')),
    ],
)
def test_each_defect_has_its_code(tmp_path: Path, codes: list[str], content: str | bytes) -> None:
    assert found(judged(tmp_path, content)) == codes


@pytest.mark.parametrize("content", [GOOD.replace("\n", "\r\n"), GOOD.replace("\n", "\n\n"), GOOD.rstrip("\n")])
def test_line_ends_and_empty_lines_are_no_defect(tmp_path: Path, content: str) -> None:
    assert found(judged(tmp_path, content)) == []


def test_what_pandas_reads_is_what_is_judged(tmp_path: Path) -> None:
    # Old line ends, quotes and spaces around a number: pandas and its like read them, and so do the checks.
    content = GOOD.replace("\n", "\r").replace("0.5", " 0.5 ")
    assert found(judged(tmp_path, content)) == []


def test_a_finding_says_what_and_where(tmp_path: Path) -> None:
    findings = judged(tmp_path, GOOD.replace("ISIC_3,0", "isic_3 ,x").replace("ISIC_4,1e-3", "ISIC_4,7"))
    assert findings["UD309"].measured == "1: 'ISIC_3'; 1 of them differ in spaces or capitals only"
    assert findings["UD313"].measured == "1, the first 'x' of isic_3 "
    assert findings["UD316"].measured == "1, the first '7' of ISIC_4"
    moved = judged(tmp_path, "isic_id,target\nISIC_1,.1\nISIC_3,.2\nISIC_2,.3\nISIC_4,.4\n")
    assert moved["UD312"].measured == "2 rows, the first row 2 with ISIC_3 for ISIC_2"


def test_where_columns_are_missing_the_rest_does_not_apply(tmp_path: Path) -> None:
    findings = judged(tmp_path, GOOD.replace("target", "score"))
    assert findings["UD312"].status == "not applicable"
    assert findings["UD313"].status == "not applicable"


def test_several_scores_a_row_are_judged_together(tmp_path: Path) -> None:
    sample = "image,MEL,NV\nA,0,0\nB,0,0\n"
    assert found(judged(tmp_path, "image,MEL,NV\nA,0.1,0.9\nB,0.4,0.6\n", sample)) == []
    findings = judged(tmp_path, "image,MEL,NV\nA,0.1,0.9\nB,0.4,1.6\n", sample)
    assert findings["UD316"].measured == "1, the first '1.6' of B"


def test_what_we_write_is_clear(tmp_path: Path) -> None:
    ids = pl.Series("isic_id", [f"ISIC_{n}" for n in (4, 2, 9, 1)])
    scores = pl.DataFrame({"isic_id": ids.sort(), "target": [0.1, 1e-17, 0.3, 1.0]})
    write_submission(scores, ids, tmp_path / "ours.csv")
    sample = io.StringIO()
    pl.DataFrame({"isic_id": ids, "target": 0.3}).write_csv(sample)
    assert found(judged(tmp_path, (tmp_path / "ours.csv").read_bytes(), sample.getvalue())) == []


@pytest.mark.parametrize("sample", ["", "isic_id\nISIC_1\n", "isic_id,target\n"])
def test_a_sample_that_is_none_is_refused(tmp_path: Path, sample: str) -> None:
    with pytest.raises(InputError, match=r"give the competition's sample_submission\.csv"):
        judged(tmp_path, GOOD, sample)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sample.csv").write_text(SAMPLE)
    with pytest.raises(InputError, match="cannot read this file"):
        validate_submission(tmp_path / "none.csv", tmp_path / "sample.csv")


def test_the_document_lists_every_code() -> None:
    assert checks_table(SUBMISSION_CHECKS) in DOCUMENT.read_text("utf-8")
