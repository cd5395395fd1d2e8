"""Files changed at random are read or refused in one line: no other error, no crash, no work without end."""

from __future__ import annotations

import os
import random
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pytest

from engine.errors import InputError
from tests.fuzz.mutation import mutated
from tests.fuzz.readers import readers

SMALL, WHOLE = 15, 200_000
#: Files that a large search found: a Parquet table over which polars ended the process, a DICOM file with half a value.
FOUND = {"Parquet table": (3580,), "DICOM": (6261,)}
LONGEST = 20  # seconds that one file may take
MOST_SECONDS = 1_800  # that all files of a reader may take
MEMORY = 12 * 2**30  # bytes of addresses, of which the libraries take most


@contextmanager
def in_time(seconds: int) -> Iterator[None]:
    """Raise where a file takes too long."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def attempt(name: str, seeds: Sequence[int], folder: Path) -> dict[int, str]:
    """Read one file a seed; what else than a refusal came of it, by seed.

    The number of the file that is read stands in `now`, so that it is known after a crash.
    """
    folder.mkdir()
    reader = dict(readers(folder))[name]
    path = folder / "case" / reader.name
    path.parent.mkdir(parents=True)
    wrong = {}
    for seed in seeds:
        (folder / "now").write_text(str(seed))
        path.write_bytes(mutated(reader.whole, random.Random(seed)))
        try:
            with in_time(LONGEST):
                reader.read(path)
        except InputError:
            continue
        except BaseException as error:  # noqa: BLE001 - what is looked for; a panic of polars is no Exception
            wrong[seed] = f"{type(error).__name__}: {error}"[:300]
    return wrong


NAMES = (
    *("table", "table to score", "packed table", "Parquet table", "duplicates", "predictions", "submission"),
    *("image scores", "folds", "HDF5", "JPEG", "PNG", "DICOM"),
    *("configuration", "manifest", "description of a model"),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_few_changed_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    assert attempt(name, [*range(SMALL), *FOUND.get(name, ())], tmp_path / "fuzz") == {}


def test_every_reader_takes_part(tmp_path: Path) -> None:
    assert tuple(dict(readers(tmp_path))) == NAMES
    for _, reader in readers(tmp_path):
        path = tmp_path / "whole" / reader.name.replace("/", f"-{reader.name}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(reader.whole)
        reader.read(path)


def _apart(name: str, seeds: range, folder: Path, found: object) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    found.put(attempt(name, seeds, folder))  # type: ignore[attr-defined]


@pytest.mark.bench
@pytest.mark.parametrize("name", NAMES)
def test_very_many_changed_files_are_read_or_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2])  # the other process finds this module there
    cases = int(os.environ.get("UGLYDUCK_FUZZ", WHOLE)) // len(NAMES)
    context, started = get_context("spawn"), time.monotonic()
    found = context.Queue()
    process = context.Process(target=_apart, args=(name, range(cases), tmp_path / "fuzz", found))
    process.start()
    try:
        while process.is_alive() and found.empty() and time.monotonic() - started < MOST_SECONDS:
            time.sleep(1)
        wrong = found.get(timeout=10)
    except Exception as error:  # noqa: BLE001 - the process is gone or does not end
        wrong = {int((tmp_path / "fuzz/now").read_text()): f"ended with {process.exitcode}: {error!r}"}
        process.kill()
    process.join()
    print(f"{name}: {cases:,} files in {time.monotonic() - started:.0f} s, {len(wrong)} neither read nor refused")
    assert wrong == {}
