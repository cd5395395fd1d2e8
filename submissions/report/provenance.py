"""What the run was made from, and by what: enough to repeat it and to detect a changed file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from submissions.report.artifacts import Artifacts


def provenance(run: Artifacts) -> dict[str, Any]:
    """Versions, git state, SHA-256 of inputs and artifacts, seconds by stage, settings."""
    stages = run.manifest["stages"]
    return {
        "versions": run.manifest.get("versions", {}),
        "git": run.manifest.get("git"),
        "inputs": run.manifest.get("inputs", {}),
        "outputs": {name: sha256 for stage in stages.values() for name, sha256 in stage["outputs"].items()},
        "seconds": {name: stage["seconds"] for name, stage in stages.items()},
        "config": {part: _plain(settings) for part, settings in run.config.items()},
    }


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: _value(value) for key, value in settings.items()}


def _value(value: object) -> object:
    """Keep only the last part of paths, since folders are private, and write infinity as text, since JSON has none."""
    if isinstance(value, str) and Path(value).is_absolute():
        return Path(value).name
    return "inf" if value == math.inf else value
