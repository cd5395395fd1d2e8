"""Places to write to: refused before and while writing, in one line, and nothing is left there."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.errors import InputError
from engine.files import atomic_path, write_json, write_parquet
from engine.locks import locked
from engine.outputs import as_input_error, try_file, try_folder


@pytest.mark.parametrize("place", ["new.csv", "there.csv", "new/deep/down.csv", "folder/new.csv"])
def test_a_file_can_be_written_there(tmp_path: Path, place: str) -> None:
    (tmp_path / "there.csv").write_text("earlier")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    try_file(tmp_path / place)
    assert sorted(tmp_path.rglob("*")) == before
    with atomic_path(tmp_path / place) as temporary:
        temporary.write_text("now")
    assert (tmp_path / place).read_text() == "now"


def test_names_alone_are_taken_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    try_file(Path("new.csv"))
    try_folder(Path("new/folder"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("folder", "folder: this is a folder, and a file is to be written. name a file in it"),
        ("there.csv/below.csv", "there.csv: this is a file, not a folder"),
        ("there.csv/far/below.csv", "there.csv: this is a file, not a folder"),
        ("pipe", "pipe: this is neither a file nor a folder"),
        ("n" * 300, "file name too long. choose a shorter name"),
        ("/proc/new.csv", "/proc: cannot write here"),
    ],
)
def test_no_file_can_be_written_there(tmp_path: Path, place: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "there.csv").write_text("earlier")
    os.mkfifo(tmp_path / "pipe")
    for refuse in (try_file, lambda path: write_json({}, path)):
        with pytest.raises(InputError, match=message):
            refuse(tmp_path / place)
    assert (tmp_path / "there.csv").read_text() == "earlier"
    assert {path.name for path in tmp_path.rglob("*")} == {"folder", "there.csv", "pipe"}


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("there.csv", "there.csv: this is a file, and a folder is to be filled. name a folder"),
        ("there.csv/below", "there.csv: this is a file, not a folder"),
        ("/proc/new", "/proc: cannot write here"),
    ],
)
def test_no_folder_can_be_filled_there(tmp_path: Path, place: str, message: str) -> None:
    (tmp_path / "there.csv").write_text("earlier")
    with pytest.raises(InputError, match=message):
        try_folder(tmp_path / place)
    with pytest.raises(InputError, match=message), locked(tmp_path / place):
        pass
    assert (tmp_path / "there.csv").read_text() == "earlier"


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow beyond 4,096 bytes: as on a disk that is full, writing fails half-way."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("full_disk")
def test_on_a_full_disk_a_folder_is_locked_without_a_word_of_by_whom(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    (tmp_path / ".lock").write_text("an earlier process")
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    with locked(tmp_path):
        assert not (tmp_path / ".lock").read_text()


@pytest.mark.usefixtures("full_disk")
def test_a_disk_that_is_full_at_any_byte_of_a_table_is_said_in_one_line(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    frame = pl.DataFrame({f"column_{place}": [place] for place in range(400)})
    write_parquet(frame, tmp_path / "whole.parquet")
    size, said = (tmp_path / "whole.parquet").stat().st_size, set()
    for room in range(0, size, 299):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        with pytest.raises(InputError) as refused:
            write_parquet(frame, tmp_path / "part.parquet")
        said.add(refused.value.what)
        assert not (tmp_path / "part.parquet").exists()
    assert said <= {"file too large", "no space left on device"}


@pytest.mark.parametrize("how", ["json", "csv", "parquet"])
@pytest.mark.usefixtures("full_disk")
def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path, how: str) -> None:
    path = tmp_path / f"table.{how}"
    path.write_text("earlier")
    frame = pl.DataFrame({"x": np.random.default_rng(0).random(5_000)})

    def write() -> None:
        if how == "json":
            write_json(frame["x"].to_list(), path)
        elif how == "parquet":
            write_parquet(frame, path)
        else:
            with atomic_path(path) as temporary:
                frame.write_csv(temporary)

    with pytest.raises(InputError, match=rf"table.{how}: file too large. raise the limit"):
        write()
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS])
def test_whoever_says_it_the_operating_systems_error_is_one_line(number: int) -> None:
    own = as_input_error(OSError(number, os.strerror(number), "/data/scores.csv"))
    assert str(own).lower().startswith(f"/data/scores.csv: {os.strerror(number)}. ".lower())
    texts = (
        "{} (os error {number})",
        "cannot write (errno = {number}, 'it')",
        "(Error {number}: {}) file.cpp",
    )
    for text in (each.format(os.strerror(number), number=number) for each in texts):
        passed_on = as_input_error(pl.exceptions.ComputeError(text))
        assert passed_on is not None
        assert passed_on.what.lower() == os.strerror(number).lower()


def test_a_defect_is_no_error_of_the_operating_system() -> None:
    assert as_input_error(ValueError("shapes (34,) and (33,)")) is None
    assert as_input_error(RuntimeError("a defect: No such file or directory (os error 2)")) is None
