"""What produced a run: versions and git state."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = ("numpy", "scipy", "polars", "pyarrow", "scikit-learn", "lightgbm", "xgboost", "catboost")
_version = cache(version)  # each call reads a file of the package, and every stage of a run asks


def versions() -> dict[str, str]:
    """Versions of Python, of this project and of the libraries that shape a score or choose parameters."""
    machine = {"python": platform.python_version(), "platform": platform.platform()}
    return {**machine, "uglyduck": _version("uglyduck-triage"), **library_versions(), "optuna": _version("optuna")}


def library_versions() -> dict[str, str]:
    """Versions of the libraries that can change a number."""
    return {name: _version(name) for name in _LIBRARIES}


def git_state() -> dict[str, str | bool] | None:
    """Commit and whether the tree has changes; None if the code is not a git checkout."""
    folder = Path(__file__).parents[2]
    if not (folder / ".git").exists():
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    return None if commit is None else {"commit": commit, "modified": bool(_git(folder, "status", "--porcelain"))}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
