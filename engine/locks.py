"""One process at a time in a folder."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import InputError
from engine.files import TEMPORARY, is_abandoned, remove
from engine.outputs import try_folder

LOCK = ".lock"
"""Name of the file that is locked; it says which process holds it."""


@contextmanager
def locked(folder: Path, also: Collection[str] = ()) -> Iterator[None]:
    """Hold a folder for one process; the lock ends with the process, however it ends.

    What a killed process left unfinished is swept out first; what another process writes meanwhile, say into the
    result store, stays. Where the work is refused before it made anything, nothing is left of a folder that was not
    there before.

    Args:
        folder: Which; it is made where it is not there.
        also: Names of files that are no work done.

    Raises:
        InputError: Another process works in this folder, or it cannot be made or written to.
    """
    try_folder(folder)
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            stream.seek(0)
            raise InputError(
                f"another process works here ({stream.read(200).strip() or 'it does not say which'})",
                where=str(folder),
                remedy="wait for it or choose another --out",
            ) from error
        with suppress(OSError):  # a courtesy: a disk that is full is no reason to refuse, say, what makes room on it
            stream.truncate(0)
            os.write(stream.fileno(), f"process {os.getpid()} on {platform.node()}\n".encode())
        for unfinished in filter(is_abandoned, list(folder.rglob(f"{TEMPORARY}*"))):
            remove(unfinished)
        try:
            yield
        except InputError:
            if new and {path.name for path in folder.iterdir()} <= {LOCK, *also}:
                shutil.rmtree(folder)
                with suppress(OSError):  # the next one holds something else
                    for path in new[1:]:
                        path.rmdir()
            raise
        finally:
            stream.truncate(0)
