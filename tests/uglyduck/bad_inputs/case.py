"""What a case is: files in an empty folder, a command called there, and what its one line has to say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

Content = str | bytes | Callable[[Path], object]
"""Of a file: text, bytes, or what makes it at a path."""


class Case(NamedTuple):
    """A malformed input.

    Attributes:
        call: The command, in words; `{finished}` and `{pictured}` stand for runs that are there.
        says: A part of the line.
        files: By their names in the folder in which the command is called.
    """

    call: str
    says: str
    files: dict[str, Content]


def write(folder: Path, files: dict[str, Content]) -> None:
    """Make the files of a case."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, "utf-8")
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path)
