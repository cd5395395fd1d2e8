"""Numbers of training crops, kept by content: another head on the same lesions does not look at the crops again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from engine.files import fingerprint
from engine.results import Arrays, ResultStore

CACHE = "features.kept"
"""Folder beside the model folders; it may be deleted at any time. The dot keeps it apart from models of a run."""


def cached(
    folder: Path,
    name: Sequence[object],
    make: Callable[[], Arrays],
    *,
    usable: Callable[[Arrays], bool] = lambda _: True,
) -> Arrays:
    """Arrays known from before, or made now and kept.

    Args:
        folder: Where they lie.
        name: All that decides them: the crops' bytes, and what computes the numbers.
        make: Computes them.
        usable: Whether those known from before will do.
    """
    store, key = ResultStore(folder), fingerprint(name)
    found: Arrays | None = store.get(key)
    if found is None or not usable(found):
        found = make()
        store.put(key, found)
    return found
