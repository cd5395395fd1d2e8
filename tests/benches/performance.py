"""docs/performance.md, a section a benchmark, written by the benchmarks themselves."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import sqrt
from pathlib import Path
from statistics import mean, stdev

from scipy import stats

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"
_HEAD = """# Performance

Written by `make bench`; every cohort in it is *simulated*. Peak memory is the largest resident set of the process.
"""


@dataclass(frozen=True)
class Measured:
    """One command, measured.

    Attributes:
        seconds: Wall time.
        cpu_seconds: Time of all cores together, which other work on the machine hardly changes.
        peak_gb: Largest resident set, 10⁹ bytes.
    """

    seconds: float
    cpu_seconds: float
    peak_gb: float


def measure(*command: str | Path) -> Measured:
    """Run a command to its end and measure it; its output goes through."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return Measured(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e9)


def over_cohorts(gaps: Sequence[float]) -> dict[str, float | bool]:
    """The mean of differences, one of each cohort, with Student's 95 % interval over cohorts."""
    middle = mean(gaps)
    half = float(stats.t.ppf(0.975, len(gaps) - 1)) * stdev(gaps) / sqrt(len(gaps))
    return {"estimate": middle, "low": middle - half, "high": middle + half, "distinguishable": abs(middle) > half}


def record(
    section: str,
    introduction: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    document: Path = DOCUMENT,
    head: str = _HEAD,
) -> None:
    """Write a section of docs/performance.md, or of another document, in place of the one with the same title.

    Sections stand in alphabetical order; `head` opens a document that does not exist yet.
    """
    table = [header, ["---"] * len(header), *rows]
    lines = "\n".join("| " + " | ".join(row) + " |" for row in table)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    body = f"## {section}\n\n{introduction}\n\n{lines}\n\nMeasured {datetime.now(UTC):%Y-%m-%d} on {machine}.\n"
    known = document.read_text("utf-8").split("\n## ") if document.exists() else [head]
    others = [f"## {part}".rstrip() + "\n" for part in known[1:] if part.splitlines()[0] != section]
    document.write_text("\n".join([known[0].rstrip() + "\n", *sorted([*others, body])]), "utf-8")
