"""What a model was actually trained on, by SHA-256: crops, labels and code."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import numpy as np

from cohort.stores.protocol import CropError, ImageStore
from engine.code import code_behind, code_of
from engine.errors import InputError
from engine.executors import Executor
from engine.files import fingerprint, read_json, tree, write_json
from image_embeddings.labels import Labels

Kind = Literal["descriptors", "network", "frozen"]
_MODULES: dict[Kind, str] = {
    "descriptors": "image_embeddings.descriptor_backend",
    "network": "image_embeddings.networks.backend",
    "frozen": "image_embeddings.frozen.backend",
}
_LIBRARIES: dict[Kind, tuple[str, ...]] = {
    "descriptors": ("scikit-learn",),
    "network": ("torch", "timm"),
    "frozen": ("torch", "timm", "scikit-learn"),
}
# These distribute work, write files and report progress, and cannot change a weight or a score.
_APART = ("engine",)
# Determines the pixels, though no model imports it.
_DECODING = "cohort.stores.decoding"
CROPS = "crops.json"
_PIECE = 1024
# Below this, starting one more process costs more than it saves.
_CROPS_A_PROCESS = 20_000


def code_sha256(kind: Kind) -> str:
    """SHA-256 of the code that decodes crops, trains and scores; comments do not count."""
    return code_from_crops_to(_MODULES[kind])


def code_from_crops_to(module: str) -> str:
    """SHA-256 of the code that decodes crops and of a module that works on them, with all that it imports."""
    return fingerprint([code_behind(module, _APART), code_of(_DECODING)])


def libraries(kind: Kind) -> dict[str, str]:
    """Versions of the libraries that train; "absent" if one is not installed."""
    return {name: _version(name) for name in _LIBRARIES[kind]}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def labels_sha256(ids: Sequence[str], labels: Labels) -> str:
    """SHA-256 of what each lesion teaches: its class and its auxiliary labels."""
    digest = hashlib.sha256(fingerprint([list(ids), labels.sites]).encode())
    for values in (labels.index, labels.target, labels.log_diameter, labels.site):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class CropsIdentity:
    """The content of some crops.

    Attributes:
        sha256: SHA-256 of their bytes, in the order of the lesions.
        stamp: Hash of the path, size and modification time of their files; while it is unchanged, so is the content.
        name: Name of the extra table whose crops they are; None for those that are scored.
    """

    sha256: str
    stamp: str
    name: str | None = None

    @classmethod
    def of(
        cls, store: ImageStore, ids: Sequence[str], folder: Path, executor: Executor, *, name: str | None = None
    ) -> CropsIdentity:
        """Read every crop, unless `folder` holds what `write` wrote and no file has changed since."""
        stamp = _stamp(store.path, ids)
        try:
            known = read_json(_file(folder, name))
        except (InputError, OSError):
            known = {}
        remembered = cls(str(known.get("sha256")) if isinstance(known, dict) else "", stamp, name)
        return remembered if known == remembered._entry() else cls(_content(store, ids, executor), stamp, name)

    def write(self, folder: Path) -> None:
        """Store it in a model's folder."""
        write_json(self._entry(), _file(folder, self.name))

    def _entry(self) -> dict[str, str]:
        """The stored content, with a checksum of its own: a damaged one would have the model retrained."""
        content = {"sha256": self.sha256, "stamp": self.stamp}
        return {**content, "own": fingerprint(content)}


def _file(folder: Path, name: str | None) -> Path:
    return folder / (CROPS if name is None else f"crops-{name}.json")


def _content(store: ImageStore, ids: Sequence[str], executor: Executor) -> str:
    pieces = [list(ids[start : start + _PIECE]) for start in range(0, len(ids), _PIECE)]
    at_once = min(executor.cores, 1 + len(ids) // _CROPS_A_PROCESS)
    return fingerprint(list(executor.map(_digest, store, pieces, at_once=at_once, processes=True)))


def _digest(store: ImageStore, ids: Sequence[str], _cores: int) -> str:
    digest = hashlib.sha256()
    for isic_id in ids:
        try:
            content = store.encoded(isic_id)
        except CropError as error:
            content = f"unreadable: {error.reason}".encode()
        digest.update(f"{isic_id} {len(content)} ".encode() + content)
    return digest.hexdigest()


def _stamp(path: Path, ids: Sequence[str]) -> str:
    files = tree(path) if path.is_dir() else [(path.name, path.stat().st_size, path.stat().st_mtime_ns)]
    return fingerprint([str(path.resolve()), files, list(ids)])
