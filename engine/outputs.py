"""Output paths: tried before work begins, with errors of the operating system as one line."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from concurrent.futures import BrokenExecutor
from pathlib import Path

from engine.errors import InputError

_NUMBER = re.compile(r"(?:os error|errno)[\s:=]*(\d+)", re.IGNORECASE)
_REMEDIES = {
    errno.ENOSPC: "free some space, or choose another place",
    errno.EDQUOT: "free some of your quota, or choose another place",
    errno.EFBIG: "raise the limit on the size of files, or choose another place",
    errno.EACCES: "give yourself the permission, or choose another place",
    errno.EPERM: "give yourself the permission, or choose another place",
    errno.EROFS: "choose a place that can be written to",
    errno.EISDIR: "a folder is in the place of a file: name another one",
    errno.ENOTDIR: "a file is in the place of a folder: name another one",
    errno.EEXIST: "a file is in the place of a folder: name another one",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOENT: "check the path",
}
WRITING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})
"""Errors that can only come from writing."""

_NO_MEMORY = (
    *("Cannot allocate memory", "cannot allocate memory", "can't allocate memory", "bad allocation", "bad_alloc"),
    *("failed to map segment", "can't start new thread", "can't start new process", "Unable to allocate"),
)
_PASSED_ON = WRITING | {errno.EACCES, errno.EPERM}


def error_number(error: BaseException) -> int | None:
    """The operating system's error number behind an exception; some libraries give it only in their message."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    text = str(error)
    if found := _NUMBER.search(text):
        return int(found.group(1))
    return next((number for number in sorted(_PASSED_ON) if os.strerror(number).lower() in text.lower()), None)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, whichever library reports it, or a worker was killed, as the system then does."""
    return isinstance(error, MemoryError | BrokenExecutor) or any(words in str(error) for words in _NO_MEMORY)


def as_input_error(error: BaseException, path: Path | None = None) -> InputError | None:
    """What the operating system refused, as an `InputError`; None for any other error.

    Args:
        error: Raised by the operating system itself, or by a library that passes its error on.
        path: The file or folder; None for the one that the error names.
    """
    if is_out_of_memory(error):
        return InputError(
            "memory ran out, or a process was killed",
            remedy="free some memory or use fewer threads ([compute] threads), and start again: it resumes",
        )
    number = error_number(error)
    if number is None or number not in errno.errorcode or not (isinstance(error, OSError) or number in _PASSED_ON):
        return None
    named = path or getattr(error, "filename", None)
    what = os.strerror(number)
    remedy = _REMEDIES.get(number, "check the path, the disk and the permissions")
    return InputError(what[:1].lower() + what[1:], where=None if named is None else str(named), remedy=remedy)


def try_file(path: Path) -> None:
    """Refuse a path where no file can be written; leaves nothing behind.

    Raises:
        InputError: The path is a folder or a device, or its folder cannot be made or written to.
    """
    if _kind(path) == "folder":
        raise InputError("this is a folder, and a file is to be written", where=str(path), remedy="name a file in it")
    if _kind(path) == "other":
        raise InputError("this is neither a file nor a folder", where=str(path), remedy="name a file")
    _try_in(path.parent)


def try_folder(path: Path) -> None:
    """Refuse a folder that cannot be written to; leaves nothing behind.

    Raises:
        InputError: The path is a file, or the folder cannot be made or written to.
    """
    if _kind(path) in {"file", "other"}:
        raise InputError("this is a file, and a folder is to be filled", where=str(path), remedy="name a folder")
    _try_in(path)


def _try_in(folder: Path) -> None:
    """Write and delete an empty file in the folder, or in its nearest parent that exists."""
    there = next(place for place in (folder, *folder.parents, Path("/")) if _kind(place))
    if _kind(there) != "folder":
        raise InputError("this is a file, not a folder", where=str(there), remedy="choose another folder")
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise InputError(
            f"cannot write here ({error.strerror})", where=str(there), remedy="choose a folder you can write to"
        ) from error


def _kind(path: Path) -> str:
    """What is at the path: "file", "folder" or "other"; empty if nothing is."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise as_input_error(error, path) or error from error
    return "folder" if path.is_dir() else "file" if path.is_file() else "other"
