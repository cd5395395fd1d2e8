"""A finished run as the report's dict: files checked, table read, origin told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.files import read_json
from submissions.report import build_report
from submissions.report.artifacts import Artifacts
from submissions.report.origin import Origin, tell_origin
from uglyduck.run.prediction import open_run
from uglyduck.run.run import Run


def report_of(root: Path, *, stated: Origin | None = None) -> tuple[Run, dict[str, Any]]:
    """Read a finished run and put its report together.

    Args:
        root: The run's folder.
        stated: What the user says the data are.

    Returns:
        The run, and the report as `submissions.report.build_report` gives it.

    Raises:
        InputError: The run is not finished, a file of it is damaged, or the training table is missing or another one.
    """
    run = open_run(root)
    run.manifest.check(run.folder.oof, run.folder.metrics, run.folder.blend, run.folder.dictionary)
    if run.inputs["metadata"] != read_json(run.folder.manifest)["inputs"]["metadata"]:
        raise InputError(
            "the training table has changed since the run (its SHA-256 differs)",
            where=str(run.config.data.metadata),
            remedy="put the table back, or run `uglyduck run` again",
        )
    data = run.config.data
    origin = tell_origin(data.metadata, run.cohort.frame["isic_id"], truth=data.truth, stated=stated)
    return run, build_report(Artifacts.read(run.folder.root), run.cohort.frame, origin)
