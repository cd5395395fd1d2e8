"""Numbers of training crops, kept by content: another head on the same lesions need not read the crops again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from engine.files import fingerprint
from engine.results import Arrays, ResultStore

CACHE = "features.kept"
"""Folder beside the model folders; it may be deleted at any time. The dot keeps it apart from a run's models."""


def cached(
    folder: Path,
    name: Sequence[object],
    make: Callable[[], Arrays],
    *,
    usable: Callable[[Arrays], bool] = lambda _: True,
) -> Arrays:
    """Arrays from an earlier call, or made now and kept.

    Args:
        folder: Where they are kept.
        name: Everything that determines them: the crops' bytes, and what computes the numbers.
        make: Computes them.
        usable: Whether earlier ones can be used.
    """
    store, key = ResultStore(folder), fingerprint(name)
    found: Arrays | None = store.get(key)
    if found is None or not usable(found):
        found = make()
        store.put(key, found)
    return found
