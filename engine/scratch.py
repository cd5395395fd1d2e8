"""Temporary folders; what a killed process leaves behind is deleted by the next one."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from engine.files import is_abandoned, process_name

_PREFIX, _HELD, _NEW = "uglyduck-", ".held", ".new"
_ROOM = 1 << 16
"""Bytes that must still fit on the disk at the end."""


@contextmanager
def scratch(parent: Path | None = None) -> Iterator[Path]:
    """An empty folder that is removed when the block ends.

    It holds a locked file for as long as the process lives, so that others can tell whether it is still needed.

    Args:
        parent: Where to make it; None for the system's temporary folder.

    Raises:
        OSError: It cannot be made, or the disk is full at the end: some libraries do not report that, and may have
            written only part of a file.
    """
    root = Path(parent or tempfile.gettempdir())
    _sweep(root)
    prefix = f"{_PREFIX}{process_name()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=root) as name, Path(name, _NEW).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        Path(name, _NEW).rename(Path(name, _HELD))  # under its own name only once it is locked
        yield Path(name)
        Path(name, _NEW).write_bytes(bytes(_ROOM))


@cache
def _sweep(root: Path) -> None:
    for held in root.glob(f"{_PREFIX}*/{_HELD}"):
        with suppress(OSError), open(held, opener=_open_at_once) as stream:  # in use if locked; or somebody else's
            if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(held.parent)
    for bare in root.glob(f"{_PREFIX}[0-9]*-*"):
        with suppress(OSError):  # killed before it held the lock: removed only if empty
            if is_abandoned(bare, _PREFIX) and {path.name for path in bare.iterdir()} <= {_NEW}:
                (bare / _NEW).unlink(missing_ok=True)
                bare.rmdir()


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for a pipe's other end or following a link: anybody may have put the file there."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)
