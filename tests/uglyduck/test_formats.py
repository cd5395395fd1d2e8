"""Folders of another version: read, or refused in one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.files import read_json, write_json
from engine.manifest import Manifest
from image_embeddings.spec import FILE, Spec
from tests.uglyduck.conftest import Command


def test_a_run_of_another_format_is_refused_in_one_line(copied: Path, small: Path, command: Command) -> None:
    content = read_json(copied / "manifest.json")
    assert content["format"] == 1
    write_json({**content, "format": 2}, copied / "manifest.json")
    for call in (["predict", copied, "--metadata", "none.csv"], ["run", small / "quick.toml", "--out", copied]):
        done = command(*call, check=False)
        assert done.returncode == 2
        assert "written in format 2, and this version reads format 1. use uglyduck 0.1.0" in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_run_from_before_formats_were_numbered_is_read(copied: Path) -> None:
    content = read_json(copied / "manifest.json")
    write_json({name: value for name, value in content.items() if name != "format"}, copied / "manifest.json")
    assert Manifest(copied).recorded


def test_a_model_folder_states_its_format_too(pictured: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(pictured / "run/images/descriptors", tmp_path / "model")
    content, spec = read_json(folder / FILE), Spec.read(folder)
    assert content.pop("format") == 1
    write_json(content, folder / FILE)
    assert Spec.read(folder) == spec
    write_json({**content, "format": 2}, folder / FILE)
    with pytest.raises(InputError, match="written in format 2"):
        Spec.read(folder)
