"""Which model a folder holds; one that is not wanted now is moved aside, never deleted."""

from __future__ import annotations

from pathlib import Path

from engine.errors import InputError
from engine.files import sha256_of
from image_embeddings.spec import FILE, Spec

_DIGITS = 8


def claim(folder: Path, wanted: Spec, kept: Path | None = None) -> None:
    """Make sure that a folder holds the wanted model, finished or not, or is free for it.

    Args:
        folder: Folder of the model.
        wanted: Spec of the wanted model.
        kept: Folder for models that are not wanted now, each under the first digits of its identity; one that is wanted
            again is taken back from there.

    Raises:
        InputError: The folder holds another model, and there is no `kept`.
    """
    if (folder / FILE).exists():
        if kept is None:
            wanted.require_same(Spec.read(folder), folder)
        if _identity(folder) == wanted.identity:
            return
        if kept is not None:
            move_aside(folder, kept)
    if kept is not None:
        _take_back(folder, wanted, kept)
    if not (folder / FILE).exists():
        wanted.write(folder)


def move_aside(folder: Path, kept: Path) -> None:
    """Move a model into `kept`, under the first digits of its identity."""
    kept.mkdir(parents=True, exist_ok=True)
    name, copies = _identity(folder)[:_DIGITS], 0
    while (place := kept / (f"{name}-{copies}" if copies else name)).exists():
        copies += 1
    folder.rename(place)


def _take_back(folder: Path, wanted: Spec, kept: Path) -> None:
    place = kept / wanted.identity[:_DIGITS]
    if (place / FILE).exists() and _identity(place) == wanted.identity:
        if folder.exists():
            move_aside(folder, kept)
        folder.parent.mkdir(parents=True, exist_ok=True)
        place.rename(folder)


def _identity(folder: Path) -> str:
    """Identity of the model in a folder; of the file itself if it is not a spec of this version."""
    path = folder / FILE
    try:
        return Spec.read(folder).identity
    except InputError:
        return sha256_of(path) if path.exists() else "unknown"
