"""What the manifest of a folder remembers, and what it refuses."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.files import read_json, sha256_of, write_json
from engine.manifest import Manifest


def finish(manifest: Manifest, stage: str, text: str, **artifacts: str) -> Path:
    path = manifest.root / f"{stage}.txt"
    path.write_text(text)
    manifest.finish(
        stage, fingerprint=text, artifacts=artifacts, outputs=[path], seconds=0.0, inputs={}, made_by={"versions": {}}
    )
    return path


def test_two_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    first, second = Manifest(tmp_path), Manifest(tmp_path)
    finish(first, "one", "a")
    finish(second, "two", "b")
    first.forget("none")
    assert set(Manifest(tmp_path).recorded) == set(first.recorded) == {"one.txt", "two.txt"}


def test_what_was_made_from_something_else_is_refused_until_it_is_made_again(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    one = finish(manifest, "one", "a")
    two = finish(manifest, "two", "b", **{"one.txt": sha256_of(one)})
    manifest.check(one, two)
    finish(manifest, "one", "another")
    manifest.check(one)
    with pytest.raises(InputError, match="made anew since"):
        manifest.check(two)
    finish(manifest, "two", "b", **{"one.txt": sha256_of(one)})
    manifest.check(one, two)
    manifest.forget("one")
    for path in (one, two):
        with pytest.raises(InputError):
            manifest.check(path)


def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    one = finish(manifest, "one", "a")
    one.write_text("b")
    with pytest.raises(InputError, match="SHA-256 differs"):
        manifest.check(one)


def test_stages_of_an_older_format_count_as_not_finished(tmp_path: Path) -> None:
    path = finish(Manifest(tmp_path), "one", "a")
    content = read_json(tmp_path / "manifest.json")
    del content["format"], content["sha256"]
    write_json(content, tmp_path / "manifest.json")
    older = Manifest(tmp_path)
    assert not older.holds("one", "a")
    with pytest.raises(InputError, match="made by an older version"):
        older.check(path)
    finish(older, "one", "a")
    older.check(path)
    assert Manifest(tmp_path).holds("one", "a")
    write_json({**content, "format": 99}, tmp_path / "manifest.json")
    with pytest.raises(InputError, match="written in format 99"):
        Manifest(tmp_path)


def test_a_manifest_that_is_not_whole_is_refused_and_one_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    one = finish(Manifest(tmp_path), "one", "a")
    path = tmp_path / "manifest.json"
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with suppress(InputError):  # but for a space that became another character that says nothing
            assert Manifest(tmp_path).recorded == {"one.txt": sha256_of(one)}
    for text in ("[]", "{}", '{"stages": {}, "sha256": "0"}', "null", whole[:40].decode()):
        path.write_text(text)
        with pytest.raises(InputError, match="delete it and start `uglyduck run` again"):
            Manifest(tmp_path)
    earlier = json.loads(whole)
    del earlier["sha256"]
    path.write_text(json.dumps(earlier))
    Manifest(tmp_path).check(one)


def test_a_file_changed_between_two_looks_is_noticed(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    one = finish(manifest, "one", "a")
    manifest.check(one)
    one.write_text("b")
    with pytest.raises(InputError, match="SHA-256 differs"):
        manifest.check(one)
