"""What a stage is: what it reads, what it writes, and when it can be skipped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.code import code_behind
from engine.console import log
from engine.files import fingerprint
from uglyduck.run.provenance import git_state, library_versions, versions
from uglyduck.run.run import Run

#: Code that only reports progress, makes cohorts, scores new lesions or serves Python: changing it changes nothing that
#: a stage writes.
APART = (
    *(
        "engine.console",
        "engine.locks",
        "engine.progress",
        "cohort.simulator",
        "uglyduck.terminal",
        "uglyduck.run.provenance",
    ),
    *("submissions.crops", "submissions.fitted_run", "uglyduck.interface"),
)


@dataclass(frozen=True)
class Stage:
    """One step of a run.

    Attributes:
        name: Its name for `--until` and the manifest.
        module: Full name of the module that does it; its code and all that it imports are part of the fingerprint.
        work: Does it; returns the files written.
        inputs: Keys of the user's files that it reads, see `input_paths`; or a function that names them for a run.
        artifacts: Files of the run that it reads.
        settings: What else its outputs depend on.
        applies: Whether the run has this stage at all.
    """

    name: str
    module: str
    work: Callable[[Run], list[Path]]
    inputs: tuple[str, ...] | Callable[[Run], tuple[str, ...]] = ()
    artifacts: Callable[[Run], list[Path]] = lambda _run: []
    settings: Callable[[Run], Mapping[str, Any]] = field(default=lambda _run: {})
    applies: Callable[[Run], bool] = lambda _run: True

    def fingerprint(self, run: Run) -> str:
        """Changes when what it reads, its settings, what its code does, or the libraries change."""
        return fingerprint(
            {
                "stage": self.name,
                "inputs": self.inputs_of(run),
                "artifacts": self.artifacts_of(run),
                "settings": dict(self.settings(run)),
                "code": code_behind(self.module, APART),
                "libraries": library_versions(),
            }
        )

    def inputs_of(self, run: Run) -> dict[str, str]:
        """SHA-256 of the user's files that it reads."""
        names = self.inputs(run) if callable(self.inputs) else self.inputs
        return {name: sha256 for name in names if (sha256 := run.input_sha256(name)) is not None}

    def artifacts_of(self, run: Run) -> dict[str, str]:
        """SHA-256 of the files of earlier stages that it reads, by path below the run; missing ones are left out."""
        known = run.manifest.recorded
        names = (str(path.relative_to(run.folder.root)) for path in self.artifacts(run))
        return {name: known[name] for name in names if name in known}

    def run(self, run: Run) -> None:
        """Run it, unless it was run with this fingerprint and its files are as it wrote them."""
        wanted = self.fingerprint(run)
        if run.manifest.holds(self.name, wanted):
            log.info("%-8s  unchanged", self.name)
            return
        start = time.perf_counter()
        outputs = self.work(run)
        seconds = time.perf_counter() - start
        run.manifest.finish(
            self.name,
            fingerprint=wanted,
            artifacts=self.artifacts_of(run),
            outputs=outputs,
            seconds=seconds,
            inputs=self.inputs_of(run),
            made_by={"versions": versions(), "git": git_state()},
        )
        log.info("%-8s  %.1f s", self.name, seconds)
