"""What produced a run: versions, git state, a hash of the code."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from engine.files import fingerprint

#: Code that works on finished runs or makes cohorts: it can not change a fold, a feature or a model.
_APART = (
    "cohort.simulator",
    "ensemble.ablation",
    "ensemble.explanation",
    "ensemble.run_checks",
    "ensemble.tuning",
)
_LIBRARIES = ("numpy", "scipy", "polars", "scikit-learn", "lightgbm", "xgboost", "catboost")


def versions() -> dict[str, str]:
    """Versions of Python, of this project and of the libraries that shape a score or choose parameters."""
    made = {**_libraries(), "optuna": version("optuna")}
    return {"python": platform.python_version(), "platform": platform.platform(), **made}


def _libraries() -> dict[str, str]:
    return {name: version(name) for name in ("uglyduck", *_LIBRARIES)}


def git_state() -> dict[str, str | bool] | None:
    """Commit and whether the tree has changes; None where the code is not a git checkout."""
    folder = _folder("uglyduck").parent
    if not (folder / ".git").exists():
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    return None if commit is None else {"commit": commit, "modified": bool(_git(folder, "status", "--porcelain"))}


@cache
def made_by(packages: tuple[str, ...]) -> str:
    """What can change a score besides inputs and settings: the code of these packages, and the libraries' versions."""
    return fingerprint({"code": code_fingerprint(packages), "libraries": _libraries()})


@cache
def code_fingerprint(packages: tuple[str, ...]) -> str:
    """SHA-256 over the names and bytes of every source file of these packages.

    Packages of what is done with finished runs (tuning, ablation, ...) count only where they are named themselves, so
    that a new version of them leaves the models of a run as they are.
    """
    digest = hashlib.sha256()
    for path in _sources(packages):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources(packages: Iterable[str]) -> list[Path]:
    return [path for package in packages for path in sorted(_files(package))]


def _files(package: str) -> Iterable[Path]:
    top = _folder(package)
    apart = [_folder(name) for name in _APART if name.startswith(f"{package}.")]
    return (path for path in top.rglob("*.py") if not any(path.is_relative_to(folder) for folder in apart))


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        message = f"package {package} is not installed"
        raise ModuleNotFoundError(message)
    return Path(spec.origin).parent


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
