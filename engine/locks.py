"""One process at a time in a folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import InputError
from engine.files import TEMPORARY


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for one process; the lock ends with the process, however it ends.

    What a killed process left unfinished is swept out first.

    Raises:
        InputError: Another process works in this folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                "another process works on this run",
                where=str(folder),
                remedy="wait for it or choose another --out",
            ) from error
        for unfinished in folder.rglob(f"{TEMPORARY}*"):
            unfinished.unlink()
        yield
