"""What the manifest of a folder remembers, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InputError
from engine.files import sha256_of
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
