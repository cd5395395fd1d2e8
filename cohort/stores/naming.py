"""Which lesion an image-store entry belongs to, by its name."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import TypeVar

from cohort.stores.protocol import ImageStore, OnBad, is_id
from engine.errors import InputError, shorten

ADDED = ("_downsampled", "_resized", "_cropped", "_crop", "_small", "_thumbnail")
"""Suffixes that image tools add to names."""
_SHOWN, _NEAR = 3, 50

Entry = TypeVar("Entry")


def by_id(names: Iterable[tuple[str, Entry]], *, where: str) -> dict[str, Entry]:
    """Entries by id (name without folder and suffix), ascending.

    Raises:
        InputError: Two entries share an id.
    """
    found: dict[str, Entry] = {}
    given: dict[str, str] = {}
    for name, entry in names:
        stem = PurePosixPath(name).stem
        if stem in found:
            raise InputError(f"{given[stem]} and {name} have one id", where=where, remedy="keep one of them")
        found[stem], given[stem] = entry, name
    return dict(sorted(found.items()))


def found_in(entries: Mapping[str, Entry], isic_id: str) -> Entry | None:
    """The entry of an id: named as it is, or else with or without one of `ADDED`; None if there is none."""
    bare = (isic_id.removesuffix(added) for added in ADDED if isic_id.endswith(added))
    names = (isic_id, *bare, *(isic_id + added for added in ADDED))
    return next((entries[name] for name in names if name in entries), None)


def require_ids(names: Iterable[str], *, where: str) -> list[str]:
    """The names, if all can be ids.

    Raises:
        InputError: One cannot.
    """
    listed = list(names)
    odd = next((name for name in listed if not is_id(name)), None)
    if odd is not None:
        raise InputError(f"{odd!r} is not named by an id", where=where, remedy="name images by isic_id")
    return listed


def absent_crops(store: ImageStore, ids: Sequence[str], on_bad: OnBad) -> InputError | None:
    """An error with how many lesions have no entry, three of them and the nearest names; None if all have one.

    Raises:
        InputError: That error, if `on_bad` is "stop".
    """
    absent = [isic_id for isic_id in ids if not store.has(isic_id)]
    if not absent:
        return None
    names = sorted(store.names)
    near = dict.fromkeys(name for isic_id in absent[:_SHOWN] for name in _nearest(isic_id, names))
    there = f"; the nearest names there are {', '.join(map(repr, near))}" if near else "; there is no image"
    error = InputError(
        f"{len(absent):,} of {len(ids):,} lesions have no crop ({shorten(absent, _SHOWN)}){there}",
        where=str(store.path),
        remedy="name each crop by the isic_id of its lesion",
    )
    if on_bad == "stop":
        raise error
    return error


def _nearest(isic_id: str, names: Sequence[str]) -> list[str]:
    """The name most like an id, among those near it in the alphabet and the first ones."""
    place = bisect_left(names, isic_id)
    likely = [*names[max(place - _NEAR, 0) : place + _NEAR], *names[:_NEAR]]
    return get_close_matches(isic_id, likely, n=1, cutoff=0)
