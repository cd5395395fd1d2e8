"""A run's folder: where each artifact lies, the manifest, and the lock that keeps two runs apart."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.files import TEMPORARY, read_json, sha256_of, write_json
from uglyduck.run.provenance import git_state, versions


@dataclass(frozen=True)
class RunFolder:
    """Paths inside a run."""

    root: Path

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.root / "config.toml"

    @property
    def manifest(self) -> Path:
        """Versions, seeds, git state, SHA-256 of every input and artifact."""
        return self.root / "manifest.json"

    @property
    def folds(self) -> Path:
        """The frozen folds."""
        return self.root / "folds.parquet"

    @property
    def images(self) -> Path:
        """The image model of each fold and its out-of-fold scores."""
        return self.root / "images"

    @property
    def image_scores(self) -> Path:
        """What the image model says of each training lesion, out of fold."""
        return self.images / "oof.parquet"

    @property
    def features(self) -> Path:
        """One row a lesion."""
        return self.root / "features.writing"

    @property
    def dictionary(self) -> Path:
        """The feature dictionary, and the state that features of new lesions need."""
        return self.root / "features.json"

    @property
    def models(self) -> Path:
        """Models in native formats and their manifest."""
        return self.root / "models"

    @property
    def oof(self) -> Path:
        """Out-of-fold scores."""
        return self.root / "oof.parquet"

    @property
    def blend(self) -> Path:
        """Quantile maps and weights of the blend."""
        return self.root / "blend.json"

    @property
    def calibration(self) -> Path:
        """From blended score to risk."""
        return self.root / "calibration.json"

    @property
    def table_alone(self) -> Path:
        """Blend and calibration of the learners that see the table alone, in runs with images."""
        return self.root / "table-alone.json"

    @property
    def metrics(self) -> Path:
        """Every number, with its interval."""
        return self.root / "metrics.json"

    @property
    def nested(self) -> Path:
        """Fully nested scores."""
        return self.root / "nested.parquet"

    @property
    def nested_metrics(self) -> Path:
        """Figures of the fully nested scores, beside the usual ones."""
        return self.root / "nested.json"

    @property
    def explanation(self) -> Path:
        """What moves the scores: shares of feature groups, and reasons lesion by lesion."""
        return self.root / "explanation"

    @property
    def hospitals(self) -> Path:
        """Figures of each hospital by models that never saw it."""
        return self.root / "hospitals.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for one process; the lock ends with the process, however it ends.

        What a killed process left unfinished is swept out first.

        Raises:
            InputError: Another process works on this run.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError(
                    "another process works on this run",
                    where=str(self.root),
                    remedy="wait for it or choose another --out",
                ) from error
            for unfinished in list(self.root.rglob(f"{TEMPORARY}*")):
                if unfinished.is_dir():
                    shutil.rmtree(unfinished)
                else:
                    unfinished.unlink(missing_ok=True)
            yield


#: Artifacts that decide what later commands say about a run.
_DECISIVE = ("folds.parquet", "features.writing", "oof.parquet")


class Manifest:
    """What each finished stage was made from and what it made."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._content: dict[str, Any] = read_json(folder.manifest) if folder.manifest.exists() else {"stages": {}}

    def holds(self, stage: str, wanted: str) -> bool:
        """Whether the stage was finished with this fingerprint and every output is there with its SHA-256."""
        entry = self._content["stages"].get(stage)
        if entry is None or entry["fingerprint"] != wanted:
            return False
        return all(
            (path := self._folder.root / name).is_file() and sha256_of(path) == sha256
            for name, sha256 in entry["outputs"].items()
        )

    @property
    def recorded(self) -> dict[str, str]:
        """SHA-256 of every artifact of the finished stages, by its path below the run."""
        stages = self._content["stages"].values()
        return {name: sha256 for entry in stages for name, sha256 in entry["outputs"].items()}

    @property
    def state(self) -> dict[str, str]:
        """SHA-256 of folds, features and out-of-fold scores, as far as they are finished.

        A command that writes about the run stores it as `made_from`, so that the report can tell whether the run was
        trained anew since.
        """
        recorded = self.recorded
        return {name: recorded[name] for name in _DECISIVE if name in recorded}

    def sha256(self, path: Path) -> str:
        """The recorded SHA-256 of an artifact of a finished stage."""
        name = str(path.relative_to(self._folder.root))
        return str(
            next(entry["outputs"][name] for entry in self._content["stages"].values() if name in entry["outputs"])
        )

    def check(self, *paths: Path) -> None:
        """Refuse artifacts that are missing or are not what the run wrote.

        Raises:
            InputError: One is missing or its SHA-256 differs.
        """
        for path in paths:
            name = str(path.relative_to(self._folder.root))
            known = [entry["outputs"][name] for entry in self._content["stages"].values() if name in entry["outputs"]]
            if not known or not path.is_file():
                raise InputError("the run is not finished", where=str(path), remedy="finish it with `uglyduck run`")
            if sha256_of(path) != known[0]:
                raise InputError(
                    "the file is not the one the run wrote (its SHA-256 differs)",
                    where=str(path),
                    remedy="restore it, or delete it and start `uglyduck run` again",
                )

    def finish(
        self, stage: str, *, fingerprint: str, outputs: list[Path], seconds: float, inputs: dict[str, str]
    ) -> None:
        """Record a finished stage; what later stages wrote from its former outputs will not hold any more."""
        stages = self._content["stages"]
        stages[stage] = {
            "fingerprint": fingerprint,
            "seconds": round(seconds, 3),
            "outputs": {str(path.relative_to(self._folder.root)): sha256_of(path) for path in outputs},
        }
        known_inputs = {**self._content.get("inputs", {}), **inputs}
        self._content = {"versions": versions(), "git": git_state(), "inputs": known_inputs, "stages": stages}
        write_json(self._content, self._folder.manifest)
