"""A finished run as the report's dict: files checked, table read, origin told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from submissions.report import build_report
from submissions.report.artifacts import Artifacts
from submissions.report.origin import Origin, origin_of
from uglyduck.run.run import Run, open_run


def report_of(root: Path, *, stated: Origin | None = None) -> tuple[Run, dict[str, Any]]:
    """Read a finished run and put its report together.

    Args:
        root: The run's folder.
        stated: What the user says the data are.

    Returns:
        The run, and the report as `submissions.report.build_report` gives it.

    Raises:
        InputError: The run is not finished, or a file of it is missing or damaged.
    """
    run = open_run(root)
    run.manifest.check(run.folder.oof, run.folder.metrics, run.folder.blend, run.folder.dictionary)
    origin = origin_of(run.lesions.facts["origin"], simulated=run.config.data.truth is not None, stated=stated)
    return run, build_report(Artifacts.read(run.folder.root), run.lesions.frame, origin)
