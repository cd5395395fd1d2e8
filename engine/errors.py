"""Errors that a user can fix: each says what is wrong, where, and how to fix it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


def plain(text: str) -> str:
    """Text for one line of a terminal, with unprintable characters (escape sequences, direction marks) as codes."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape", "surrogatepass").decode() for one in text)


class InputError(Exception):
    """The user's data or configuration is wrong; the command line prints it as one line and exits with status 2.

    Attributes:
        what: What is wrong, as a clause without a full stop.
        where: File, column, row or configuration key; None if there is no place to name.
        remedy: How to fix it, as a sentence without a full stop.
    """

    def __init__(self, what: str, *, remedy: str, where: str | None = None) -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(what, where, remedy)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return plain(" ".join(f"{place}{self.what}. {self.remedy}.".split()))

    def __reduce__(self) -> tuple[Any, ...]:
        # Unpickling rebuilds an exception from its positional arguments, which `__init__` does not take, and this one
        # is also raised in other processes.
        return _rebuilt, (type(self), self.args), self.__dict__


@contextmanager
def within(place: str) -> Iterator[None]:
    """Prefix the place named by any `InputError` in the block: whoever knows the larger place names it."""
    try:
        yield
    except InputError as error:
        raise InputError(error.what, where=f"{place} {error.where or ''}".rstrip(), remedy=error.remedy) from error


def _rebuilt(kind: type[InputError], arguments: tuple[Any, ...]) -> InputError:
    return kind.__new__(kind, *arguments)


def shorten(names: Sequence[str], most: int = 6) -> str:
    """At most `most` names, with "(unnamed)" for empty ones, and the number of the rest."""
    shown = ", ".join(name or "(unnamed)" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
