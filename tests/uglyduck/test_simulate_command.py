"""`uglyduck simulate` and `uglyduck demo` overwrite no cohort unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from cohort.simulator.folder import FILES, write_folder
from tests.uglyduck.conftest import Command


@pytest.mark.parametrize("name", FILES)
def test_a_cohort_is_overwritten_only_where_that_is_said(tmp_path: Path, command: Command, name: str) -> None:
    (tmp_path / name).write_text("mine")
    call: list[str | Path] = ["simulate", tmp_path, "--lesions", "500"]
    done = command(*call, check=False)
    assert done.returncode == 2
    assert f"a cohort is there already ({name}). choose another folder, or say --force." in done.stderr
    assert (tmp_path / name).read_text() == "mine"


def test_it_is_overwritten_where_that_is_said(tmp_path: Path, command: Command) -> None:
    (tmp_path / "train-metadata.csv").write_text("mine")
    command("simulate", tmp_path, "--lesions", "500", "--force")
    assert (tmp_path / "train-metadata.csv").read_text().startswith("isic_id,")


def test_the_demo_overwrites_its_own_cohort_alone(tmp_path: Path, command: Command) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/train-metadata.csv").write_text("mine")
    done = command("demo", "--out", tmp_path, check=False)
    assert done.returncode == 2
    assert "a cohort is there already (train-metadata.csv). choose another --out." in done.stderr
    assert (tmp_path / "data/train-metadata.csv").read_text() == "mine"


def test_all_that_is_written_is_known(tmp_path: Path) -> None:
    write_folder(tmp_path, 500, images=True, test_lesions=50)
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)
