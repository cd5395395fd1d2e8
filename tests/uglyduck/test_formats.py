"""Folders of another version: read, or refused in one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.files import read_json, write_json
from image_embeddings.spec import FILE, Spec
from tests.uglyduck.conftest import Command, artifacts


def test_a_run_of_a_newer_format_is_refused_in_one_line(copied: Path, small: Path, command: Command) -> None:
    write_json({**read_json(copied / "manifest.json"), "format": 99}, copied / "manifest.json")
    for call in (["predict", copied, "--metadata", "none.csv"], ["run", small / "quick.toml", "--out", copied]):
        done = command(*call, check=False)
        assert done.returncode == 2
        assert "written in format 99, and this version reads format 2. use the version of uglyduck" in done.stderr


def test_a_run_of_an_older_format_scores_nothing_until_it_is_made_again(
    finished: Path, copied: Path, small: Path, tmp_path: Path, command: Command
) -> None:
    content = read_json(copied / "manifest.json")
    for key in ("format", "sha256"):  # the older version had neither
        del content[key]
    write_json(content, copied / "manifest.json")
    call = ("predict", copied, "--metadata", small / "data/test-metadata.csv", "--out", tmp_path / "s.csv")
    done = command(*call, check=False)
    assert done.returncode == 2
    assert "made by an older version, whose files mean something else. make its scores again" in done.stderr
    command("run", small / "quick.toml", "--out", copied)
    assert read_json(copied / "manifest.json")["format"] == 2
    assert artifacts(copied) == artifacts(finished)
    command(*call)


def test_a_model_folder_states_its_format_too(pictured: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(pictured / "run/images/descriptors", tmp_path / "model")
    content, spec = read_json(folder / FILE), Spec.read(folder)
    assert content.pop("format") == 1
    write_json(content, folder / FILE)
    assert Spec.read(folder) == spec
    write_json({**content, "format": 2}, folder / FILE)
    with pytest.raises(InputError, match="written in format 2"):
        Spec.read(folder)
