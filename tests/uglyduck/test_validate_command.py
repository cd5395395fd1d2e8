"""`uglyduck validate`: one verdict, coded findings, and the exit status of a scorer that rejects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.uglyduck.conftest import Command

SAMPLE = "isic_id,target\nISIC_1,0.3\nISIC_2,0.3\nISIC_3,0.3\n"
GOOD = "isic_id,target\nISIC_1,0.1\nISIC_2,0.2\nISIC_3,0.3\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sample.csv").write_text(SAMPLE)
    (tmp_path / "good.csv").write_text(GOOD)
    (tmp_path / "moved.csv").write_text("isic_id,target\nISIC_2,0.2\nISIC_1,0.1\nISIC_3,0.3\n")
    (tmp_path / "same.csv").write_text(SAMPLE)
    return tmp_path


def test_a_good_submission_passes(command: Command, folder: Path) -> None:
    done = command("validate", folder / "good.csv", "--like", folder / "sample.csv")
    assert done.stdout.strip().endswith("0 errors, 0 warnings, 0 infos, 18 clear, 0 not applicable")
    assert "UD3" not in done.stdout
    assert "UD312" in command("validate", folder / "good.csv", "--like", folder / "sample.csv", "--all").stdout


def test_a_rejected_one_is_exit_status_2_and_says_why(command: Command, folder: Path) -> None:
    done = command("validate", folder / "moved.csv", "--like", folder / "sample.csv", check=False)
    assert done.returncode == 2
    assert "UD312" in done.stdout
    assert "2 rows, the first row 1 with ISIC_2 for ISIC_1" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_warning_alone_is_no_rejection(command: Command, folder: Path) -> None:
    done = command("validate", folder / "same.csv", "--like", folder / "sample.csv")
    assert "UD317" in done.stdout


def test_json_is_one_object(command: Command, folder: Path) -> None:
    done = command("validate", folder / "moved.csv", "--like", folder / "sample.csv", "--json", check=False)
    report = json.loads(done.stdout)
    assert report["ok"] is False
    assert report["counts"]["error"] == 1
    assert [one["code"] for one in report["findings"] if one["status"] == "found"] == ["UD312"]


def test_our_own_submission_is_valid(command: Command, finished: Path, small: Path, tmp_path: Path) -> None:
    data = small / "data"
    command("predict", finished, "--metadata", data / "test-metadata.csv", "--out", tmp_path / "submission.csv")
    command("validate", tmp_path / "submission.csv", "--like", data / "sample_submission.csv")
