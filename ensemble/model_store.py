"""Models on disk in native formats, under a manifest of SHA-256 sums that is checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.files import atomic_path, read_sealed, sha256_of, write_sealed
from ensemble.learners import Learner, Model, learner_class
from ensemble.matrix import FeatureSpace

_REMEDY = "restore the file from where the run was made, or delete it and start `uglyduck run` again"
_LIST_REMEDY = f"{_REMEDY}, which trains its models anew"


@dataclass(frozen=True)
class Slot:
    """Identifies a model: its learner, the repeat and fold it does not train on, and its seed."""

    learner: str
    repeat: int
    fold: int
    seed: int

    @property
    def name(self) -> str:
        """File name without suffix."""
        repeat = f"repeat{self.repeat}-" if self.repeat else ""
        return f"{repeat}fold{self.fold}-seed{self.seed}"

    @property
    def key(self) -> str:
        """Its name among all models of a run."""
        return f"{self.learner}/{self.name}"


class ModelStore:
    """The folder `models/` of a run.

    Args:
        folder: Holds one folder per learner, and `manifest.json` with the feature space and, for each model, its file,
            SHA-256, learner, the name of the job that made it, and its features if these are not all.

    Raises:
        InputError: The manifest is not as it was written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._manifest_path = folder / "manifest.json"
        known = read_sealed(self._manifest_path, remedy=_LIST_REMEDY) if self._manifest_path.exists() else {}
        self._entries: dict[str, dict[str, Any]] = known.get("models", {})
        self.space = FeatureSpace.from_dict(known["space"]) if "space" in known else None

    def slots(self) -> list[Slot]:
        """The models listed, in the order of learner, repeat, fold and seed."""
        found = [Slot(**entry["slot"]) for entry in self._entries.values()]
        return sorted(found, key=lambda slot: (slot.learner, slot.repeat, slot.fold, slot.seed))

    def files(self) -> list[Path]:
        """The manifest and every model file listed."""
        return [self._manifest_path, *(self.folder / entry["file"] for entry in self._entries.values())]

    def begin(self, space: FeatureSpace, wanted: list[Slot]) -> None:
        """State the feature space of the models to come; models of another space, or not wanted, are forgotten."""
        names = {slot.key for slot in wanted} if space == self.space else set()
        self._entries = {key: entry for key, entry in self._entries.items() if key in names}
        self.space = space
        self._write()

    def has(self, slot: Slot, job: str) -> bool:
        """Whether the model that this job makes is stored intact."""
        entry = self._entries.get(slot.key)
        if entry is None or entry["job"] != job:
            return False
        path = self.folder / entry["file"]
        return path.is_file() and sha256_of(path) == str(entry["sha256"])

    def add(self, slot: Slot, content: bytes, *, learner: Learner, job: str, seen: Sequence[str]) -> None:
        """Write a model, then list it: a run killed in between only trains this model again.

        Args:
            slot: Which model.
            content: The model in its library's own format.
            learner: The learner that fitted it.
            job: Name of the job that made it.
            seen: Names of its features, in the order of the space.
        """
        file = f"{slot.key}{learner.suffix}"
        with atomic_path(self.folder / file) as temporary:
            temporary.write_bytes(content)
        self._entries[slot.key] = {
            "slot": asdict(slot),
            "file": file,
            "sha256": sha256_of(self.folder / file),
            "learner": learner.name,
            "job": job,
        }
        if self.space is None or tuple(seen) != self.space.names:
            self._entries[slot.key]["features"] = list(seen)
        self._write()

    def load(self, slot: Slot) -> Model:
        """Load a model, if its bytes are those that were written. Its learner is not tried out.

        Raises:
            InputError: It is not listed, its file is missing, or its SHA-256 differs.
        """
        entry = self._entries.get(slot.key)
        if entry is None or self.space is None:
            raise InputError(f"no model {slot.key}", where=str(self._manifest_path), remedy=_REMEDY)
        path = self.folder / entry["file"]
        if not path.is_file():
            raise InputError("the model file is missing", where=str(path), remedy=_REMEDY)
        if sha256_of(path) != entry["sha256"]:
            raise InputError(
                "the model file is damaged (its SHA-256 differs from the manifest's)", where=str(path), remedy=_REMEDY
            )
        learner = learner_class(entry["learner"]).configured({})
        return learner.load(path, self.space.restricted(entry.get("features", self.space.names)))

    def _write(self) -> None:
        space = self.space.as_dict() if self.space else {}
        write_sealed({"space": space, "models": dict(sorted(self._entries.items()))}, self._manifest_path)
