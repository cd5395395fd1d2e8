"""One process at a time in a folder."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import InputError
from engine.files import TEMPORARY, is_abandoned
from engine.outputs import try_folder

LOCK = ".lock"
"""Name of the file that is locked."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for one process; the lock ends with the process, however it ends.

    What a killed process left unfinished is swept out first; what another process writes meanwhile, say into the
    result store, stays.

    Raises:
        InputError: Another process works in this folder, or it cannot be made or written to.
    """
    try_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                "another process works on this run",
                where=str(folder),
                remedy="wait for it or choose another --out",
            ) from error
        for unfinished in filter(is_abandoned, list(folder.rglob(f"{TEMPORARY}*"))):
            if unfinished.is_dir():
                shutil.rmtree(unfinished)
            else:
                unfinished.unlink(missing_ok=True)
        yield
