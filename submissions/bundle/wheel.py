"""Our own wheel, built from the running checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from engine.errors import InputError
from engine.scratch import scratch

# The earliest time a zip file can hold, so that the same sources give the same bytes.
_EPOCH = "315532800"


def build_wheel(checkout: Path, out: Path) -> Path:
    """Build the wheel of a checkout without touching it, and without a network.

    Args:
        checkout: Folder of pyproject.toml and the packages.
        out: Folder to write to.

    Returns:
        The wheel.

    Raises:
        InputError: There is no checkout, or the builder is missing or fails.
    """
    if not (checkout / "pyproject.toml").is_file():
        raise InputError(
            "uglyduck is installed without its sources, so no wheel can be built",
            where=str(checkout),
            remedy="give the wheel that you installed from with --wheel",
        )
    with scratch() as folder:
        copy = folder / "source"
        _copy_sources(checkout, copy)
        call = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": _EPOCH}
        done = subprocess.run(call, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise InputError(
            f"the wheel could not be built ({' '.join(last)})",
            where=str(checkout),
            remedy="install build and setuptools, or give a wheel with --wheel",
        )
    return next(out.glob("uglyduck_triage-*.whl"))


def _copy_sources(checkout: Path, copy: Path) -> None:
    """Copy packages and what pyproject.toml names, but not what builds leave in the checkout."""
    copy.mkdir()
    for entry in checkout.iterdir():
        if (entry / "__init__.py").is_file():
            shutil.copytree(entry, copy / entry.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif entry.name in {"pyproject.toml", "README.md", "LICENSE"}:
            shutil.copy(entry, copy)
