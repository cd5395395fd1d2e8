"""A mapping of columns is checked with the configuration, kept in the run, and used where new lesions are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import InputError
from submissions.bundle.scoring import read_columns
from submissions.bundle.writing import Content, Upload, write_bundle
from submissions.run_folder import RunFolder
from tests.uglyduck.conftest import Command
from uglyduck.run.config import load_config, write_config
from uglyduck.run.run import Run
from uglyduck.studies.new_lesions import NewTable

TEXT = """
[data]
metadata = "clinic.csv"

[data.columns]
isic_id = "uuid"
patient_id = "person"
target = { column = "histology", malignant = ["melanoma"] }
clin_size_long_diam_mm = { column = "cm", times = 10 }
itch = { column = "itches", kind = "category" }
"""


def test_a_run_reads_new_lesions_by_its_own_mapping(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(TEXT)
    write_config(load_config(tmp_path / "run.toml"), tmp_path / "config.toml")  # as the run's folder has it
    (tmp_path / "new.csv").write_text("uuid;person;cm;itches\na;K1;0,4;yes\nb;K1;0,5;no\n")
    run = Run(load_config(tmp_path / "config.toml"), RunFolder(tmp_path))
    frame = NewTable(tmp_path / "new.csv").read(run).frame
    assert frame.rows() == [("a", "K1", 4.0, "yes"), ("b", "K1", 5.0, "no")]
    assert frame.columns == ["isic_id", "patient_id", "clin_size_long_diam_mm", "category_itch"]


def test_new_lesions_may_bring_a_table_of_their_patients(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(TEXT + 'age_approx = "years"\n')
    (tmp_path / "new.csv").write_text("uuid,person\na,K1\n")
    (tmp_path / "people.csv").write_text("person,years\nK1,50\n")
    run = Run(load_config(tmp_path / "run.toml"), RunFolder(tmp_path))
    cohort = NewTable(tmp_path / "new.csv", join=(tmp_path / "people.csv",)).read(run)
    assert cohort.frame["age_approx"].to_list() == [50.0]


def test_official_tables_next_to_the_one_named_are_part_of_the_configuration(tmp_path: Path) -> None:
    for name in ("ISIC_2019_Training_Metadata.csv", "ISIC_2019_Training_GroundTruth.csv"):
        (tmp_path / name).touch()
    (tmp_path / "run.toml").write_text('[data]\nmetadata = "."\n')
    assert load_config(tmp_path / "run.toml").data.join == (tmp_path / "ISIC_2019_Training_GroundTruth.csv",)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            'iddx = { column = "iddx_1", kind = "category" }',
            r"\[data.columns\]: iddx from 'iddx_1' would tell the diagnosis",
        ),
        (
            'age_approx = { column = "age", tims = 12 }',
            r"data.columns.age_approx.tims: unknown key 'tims'. did you mean 'times'",
        ),
        ('age_approx = { column = "age", times = 0 }', r"greater than 0"),
    ],
)
def test_a_wrong_mapping_is_refused_with_the_configuration(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(f'[data]\nmetadata = "x"\n[data.columns]\n{line}\n')
    with pytest.raises(InputError, match=message):
        load_config(tmp_path / "run.toml")


def test_a_suggested_mapping_can_be_pasted_and_checked(tmp_path: Path, command: Command) -> None:
    (tmp_path / "clinic.csv").write_text("uuid;person;histology\na;K1;melanoma\nb;K2;nevus\n")
    (tmp_path / "people.csv").write_text("person;age\nK1;50\nK2;60\n")
    said = command("check", tmp_path / "clinic.csv", "--suggest", "--join", tmp_path / "people.csv").stdout
    (tmp_path / "run.toml").write_text(said)
    assert "0 errors" in command("check", tmp_path / "run.toml").stdout
    (tmp_path / "run.toml").write_text("\n".join(line for line in said.splitlines() if not line.startswith("join")))
    assert "there is no column age, which" in command("check", tmp_path / "run.toml", check=False).stderr


def test_a_bundle_carries_the_mapping(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(TEXT)
    mapping = load_config(tmp_path / "run.toml").data.mapping
    content = Content({}, 0.1, {}, [], 1.0, ungrouped=False, columns=mapping)
    write_bundle(tmp_path / "bundle", content, [], Upload("jane", "my-moles", "y"))
    stated = json.loads((tmp_path / "bundle/MANIFEST.json").read_text())["columns"]
    assert read_columns(stated) == mapping
