"""What each finished stage of a folder was made from, and what it made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.files import read_json, read_sealed, sha256_of, write_sealed

FORMAT = 2
"""Format of a run's files, raised by any change that could make code misread an older run.

Format 1 was not stated in the file; its blends are of quantile levels.
"""


class Manifest:
    """The file `manifest.json` of a folder.

    Args:
        root: The folder.

    Stages finished in an older format count as unfinished, so that the run makes them again.

    Raises:
        InputError: The file was written in a newer format.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "manifest.json"
        self._known: dict[tuple[Path, int, int, int], str] = {}
        self._content = self._read()

    def _read(self) -> dict[str, Any]:
        """The content of the file; empty if it is missing or was written by an older version.

        Raises:
            InputError: See `_whole`.
        """
        found = _whole(self.path) if self.path.exists() else {"stages": {}}
        self._is_older = found["stages"] != {} and found.get("format", 1) < FORMAT
        return {"stages": {}} if self._is_older else found

    def _sha256(self, path: Path) -> str:
        """SHA-256 of a file of the run, which is read again only if it has changed."""
        found = path.stat()
        seen = (path, found.st_ino, found.st_size, found.st_mtime_ns)
        if seen not in self._known:
            self._known[seen] = sha256_of(path)
        return self._known[seen]

    def holds(self, stage: str, wanted: str) -> bool:
        """Whether the stage was finished with this fingerprint and every output still has its SHA-256."""
        entry = self._content["stages"].get(stage)
        if entry is None or entry["fingerprint"] != wanted:
            return False
        return all(
            (path := self.root / name).is_file() and self._sha256(path) == sha256
            for name, sha256 in entry["outputs"].items()
        )

    @property
    def recorded(self) -> dict[str, str]:
        """SHA-256 of every artifact of the finished stages, by its path below the run."""
        stages = self._content["stages"].values()
        return {name: sha256 for entry in stages for name, sha256 in entry["outputs"].items()}

    def sha256(self, path: Path) -> str | None:
        """The recorded SHA-256 of an artifact; None if no finished stage made it."""
        return self.recorded.get(str(path.relative_to(self.root)))

    def check(self, *paths: Path) -> None:
        """Refuse artifacts that are missing, are not what the run wrote, or are older than what they were made from.

        Raises:
            InputError: One is missing, its SHA-256 differs, or an earlier stage has written something else since.
        """
        if self._is_older:
            raise InputError(
                "this run was made by an older version, whose files mean something else",
                where=str(self.path),
                remedy="make its scores again with `uglyduck run`, or use the version that made it",
            )
        recorded = self.recorded
        for path in paths:
            name = str(path.relative_to(self.root))
            made = next((entry for entry in self._content["stages"].values() if name in entry["outputs"]), None)
            if made is None or not path.is_file():
                raise InputError("the run is not finished", where=str(path), remedy="finish it with `uglyduck run`")
            if made.get("made_from", {}).items() - recorded.items():
                raise InputError(
                    "an earlier stage of the run was made anew since",
                    where=str(path),
                    remedy="finish it with `uglyduck run`",
                )
            if self._sha256(path) != made["outputs"][name]:
                raise InputError(
                    "the file is not the one the run wrote (its SHA-256 differs)",
                    where=str(path),
                    remedy="restore it, or delete it and start `uglyduck run` again",
                )

    def forget(self, stage: str) -> None:
        """Remove a stage that the run no longer has; its files stay, but are no longer artifacts of the run."""
        self._content = self._read()  # another process may have finished a stage since
        if self._content["stages"].pop(stage, None) is not None:
            write_sealed(self._content, self.path)

    def finish(
        self,
        stage: str,
        *,
        fingerprint: str,
        artifacts: Mapping[str, str],
        outputs: list[Path],
        seconds: float,
        inputs: Mapping[str, str],
        made_by: Mapping[str, Any],
    ) -> None:
        """Record a finished stage; what later stages made from its former outputs no longer holds.

        Args:
            stage: Its name.
            fingerprint: Fingerprint of everything it was made from.
            artifacts: SHA-256 of the files of earlier stages that it read, by path below the run.
            outputs: Files that it wrote.
            seconds: How long it took.
            inputs: SHA-256 of the user's files that it read, by name.
            made_by: Versions and state of the code that made it.
        """
        self._content = self._read()  # another process may have finished a stage since
        stages = self._content["stages"]
        stages[stage] = {
            "fingerprint": fingerprint,
            "seconds": round(seconds, 3),
            "made_from": dict(artifacts),
            "outputs": {str(path.relative_to(self.root)): sha256_of(path) for path in outputs},
        }
        known_inputs = {**self._content.get("inputs", {}), **inputs}
        self._content = {"format": FORMAT, **made_by, "inputs": known_inputs, "stages": stages}
        write_sealed(self._content, self.path)
        self._is_older = False


def _whole(path: Path) -> dict[str, Any]:
    """The content of a manifest, without its checksum.

    Raises:
        InputError: It is not as a run wrote it, or its format is newer.
    """
    remedy = "restore it, or delete it and start `uglyduck run` again, which uses what models are there"
    if (stated := _stated_format(path)) > FORMAT:  # first: a newer version may compute another checksum
        require_format({"format": stated}, FORMAT, path)
    found = read_sealed(path, remedy=remedy)
    if not _is_manifest(found):
        raise InputError("not the manifest of a run", where=str(path), remedy=remedy)
    return found


def _stated_format(path: Path) -> int:
    try:
        found = read_json(path)
    except InputError:
        return 1  # `read_sealed` reports what is wrong
    stated = found.get("format") if isinstance(found, dict) else None
    return stated if isinstance(stated, int) else 1


def _is_manifest(found: dict[str, Any]) -> bool:
    stages = found.get("stages")
    return (
        isinstance(stages, dict)
        and isinstance(found.get("format", 1), int)
        and all(
            isinstance(entry, dict) and "fingerprint" in entry and isinstance(entry.get("outputs"), dict)
            for entry in stages.values()
        )
    )


def require_format(content: Mapping[str, Any], own: int, path: Path) -> None:
    """Refuse a file in a format other than the one this version reads; a file that states none is in format 1.

    Args:
        content: What the file holds.
        own: The format that this version reads.
        path: The file.

    Raises:
        InputError: The file is in another format.
    """
    stated = content.get("format", 1)
    if stated != own:
        raise InputError(
            f"written in format {stated}, and this version reads format {own}",
            where=str(path),
            remedy="use the version of uglyduck that wrote it, or make it again in another folder",
        )
