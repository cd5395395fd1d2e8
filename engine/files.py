"""Files that are whole or absent: atomic writes, checksums, canonical JSON."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import shutil
import stat
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl

from engine.errors import InputError
from engine.outputs import WRITING, as_input_error, error_number, try_file

_SEAL = "sha256"
"""Key of the checksum over everything else in a file."""
TEMPORARY = ".unfinished-"
"""Prefix of the names of temporary files; a killed process may leave one behind, see `is_abandoned`."""


def temporary_prefix(target: Path) -> str:
    """Prefix of the names of temporary files and folders: it names this process, so that others know whose they are.

    A hash of the target's name follows. Whatever killed processes left of this target is deleted.
    """
    named = f"{zlib.crc32(target.name.encode()):08x}-"
    names: list[str] = []
    with suppress(OSError):  # a folder may be writable but not listable
        names = os.listdir(target.parent)  # noqa: PTH208 - before each write, perhaps among thousands of pages
    for left in (target.parent / name for name in names if name.startswith(TEMPORARY) and f"-{named}" in name):
        if is_abandoned(left):
            remove(left)
    return f"{TEMPORARY}{process_name()}-{named}"


def process_name() -> str:
    """This process in file names: its number and a hash of the host's name, since hosts may share a folder."""
    return f"{os.getpid()}_{_host()}"


def _host() -> str:
    return f"{zlib.crc32(platform.node().encode()):08x}"


def remove(path: Path) -> None:
    """Delete a file or a folder, if it exists."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def is_abandoned(temporary: Path, prefix: str = TEMPORARY) -> bool:
    """Whether the process that began to write a temporary file or folder has ended, so that it may be deleted.

    A process on another host (or in another container) cannot be checked from here: what it writes stays.
    """
    number, _, host = temporary.name.removeprefix(prefix).split("-")[0].partition("_")
    if host and host != _host():
        return False
    if not number.isdecimal():
        return True
    try:
        with suppress(PermissionError):  # somebody else's process, but alive
            os.kill(int(number), 0)  # sends nothing, only asks
    except (ProcessLookupError, OverflowError):  # overflow: no process can have this number
        return True
    return False


#: polars' message when the end of a Parquet file no longer fits on the disk.
_NO_ROOM_AT_THE_END = "Invalid thrift: transport error"


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder that replaces `path` when the block ends without an error.

    The content is synced to disk before the rename, so a killed process leaves the old file or the new one,
    never part of one. The suffix is kept, since some writers choose their format by it.

    Args:
        path: The file to write; missing parent folders are made.

    Yields:
        The temporary path to write to.

    Raises:
        InputError: The folder cannot be made or written to, `path` is a folder, or the disk is full.
    """
    path = Path(path)
    try_file(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=temporary_prefix(path), suffix=path.suffix)
    except OSError as error:
        raise InputError(
            f"cannot write here ({error.strerror})", where=str(path), remedy="choose a folder you can write to"
        ) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        _sync(temporary)
        temporary.replace(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        refused = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) if _NO_ROOM_AT_THE_END in str(error) else error
        if error_number(refused) not in WRITING:
            raise
        raise as_input_error(refused, path) or error from error
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _sync(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def refuse_special(path: Path) -> None:
    """Refuse a pipe, a socket or a device, from which reading may never end.

    Raises:
        InputError: The path is one of these. Anything else wrong with it is reported when it is opened.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InputError("not a regular file", where=str(path), remedy="give the file itself")


def write_text(text: str, path: Path) -> None:
    """Write UTF-8 text, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, "utf-8")


def write_json(value: Any, path: Path) -> None:  # noqa: ANN401 - any JSON value
    """Write `value` as indented JSON, atomically; NaN and infinity are refused."""
    write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def read_json(path: Path) -> Any:  # noqa: ANN401 - any JSON value
    """Read a JSON file.

    Raises:
        InputError: The file is missing or is not JSON.
    """
    refuse_special(Path(path))
    try:
        return json.loads(Path(path).read_text("utf-8"))
    except FileNotFoundError as error:
        raise InputError("no such file", where=str(path), remedy="check the path") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid JSON ({error})", where=str(path), remedy="write the file again") from error


def write_sealed(content: Mapping[str, Any], path: Path) -> None:
    """Write a JSON object together with its checksum."""
    write_json({**content, _SEAL: fingerprint(content)}, path)


def read_sealed(path: Path, *, remedy: str) -> dict[str, Any]:
    """Read what `write_sealed` wrote, without its checksum; files from earlier versions have none.

    Raises:
        InputError: The file cannot be read or has changed since it was written.
    """
    with suppress(InputError):  # reported below
        found = read_json(path)
        if isinstance(found, dict) and found.pop(_SEAL, None) in (None, fingerprint(found)):
            return found
    raise InputError("the file is not the one the run wrote", where=str(path), remedy=remedy)


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write `frame` as zstd-compressed Parquet, atomically."""
    with atomic_path(path) as temporary:
        frame.write_parquet(temporary, compression="zstd", compression_level=1)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    refuse_special(Path(path))
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def tree(folder: Path) -> list[tuple[str, int, int]]:
    """Relative path, size and modification time of every file in a folder at any depth, to detect changes."""
    found = []
    for place, _, names in os.walk(folder):
        below = Path(place).relative_to(folder)
        for name in names:
            status = os.lstat(os.path.join(place, name))  # noqa: PTH118 - for hundreds of thousands of crops
            found.append(((below / name).as_posix(), status.st_size, status.st_mtime_ns))
    return sorted(found)


def fingerprint(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Hex SHA-256 of a JSON value in canonical form (sorted keys, no spaces)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
