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

    What a killed process left unfinished is deleted first; what another process is writing meanwhile, say into the
    result store, stays. If the work is refused before it has made anything, a folder made for it is removed.

    Args:
        folder: The folder; it is made if missing.
        also: Names of files that do not count as work done.

    Raises:
        InputError: Another process is working in this folder, or it cannot be made or written to.
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
        with suppress(OSError):  # a courtesy: a full disk is no reason to refuse, say, a command that frees space
            stream.truncate(0)
            os.write(stream.fileno(), f"process {os.getpid()} on {platform.node()}\n".encode())
        for unfinished in filter(is_abandoned, list(folder.rglob(f"{TEMPORARY}*"))):
            remove(unfinished)
        try:
            yield
        except InputError:
            if new and {path.name for path in folder.iterdir()} <= {LOCK, *also}:
                shutil.rmtree(folder)
                with suppress(OSError):  # the next one holds something else, and stays
                    for path in new[1:]:
                        path.rmdir()
            raise
        finally:
            stream.truncate(0)
