"""Are the run's files as it wrote them, and are all its models there?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cohort.findings import Check, Finding
from engine.files import sha256_of
from ensemble.model_store import ModelStore, Slot

CHANGED = Check("UD204", "files that are not those the run wrote", "error")
NO_MODEL = Check("UD205", "models that are missing", "error")


def changed_files(root: Path, recorded: Mapping[str, str]) -> Finding:
    """Compare each artifact with its recorded SHA-256.

    Args:
        root: The run folder.
        recorded: Hex SHA-256 by path below the run folder.
    """
    missing = sorted(name for name in recorded if not (root / name).is_file())
    changed = sorted(name for name in set(recorded) - set(missing) if sha256_of(root / name) != recorded[name])
    if missing or changed:
        first = (*missing, *changed)[0]
        measured = f"{len(missing)} missing, {len(changed)} changed of {len(recorded)}, such as {first}"
        return CHANGED.found(measured, where=first, missing=missing, changed=changed)
    return CHANGED.clear(f"{len(recorded)} files have their recorded SHA-256", missing=[], changed=[])


def missing_models(store: ModelStore, wanted: Sequence[Slot]) -> Finding:
    """Whether there is a model for each learner, fold and seed of the configuration."""
    listed = {slot.key for slot in store.slots()}
    absent = [slot.key for slot in wanted if slot.key not in listed]
    if absent:
        return NO_MODEL.found(f"{len(absent)} of {len(wanted)}, such as {absent[0]}", missing=absent)
    return NO_MODEL.clear(f"{len(wanted)} models", missing=[])
