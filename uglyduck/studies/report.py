"""A finished run as the report's dict: files checked, table read, origin found."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from engine.files import read_json
from submissions.patients.writing import INDEX, LIST
from submissions.report.artifacts import Artifacts
from submissions.report.building import build_report
from submissions.report.origin import Origin, origin_of
from uglyduck.run.run import Run, open_run


def pages_of_patients(run: Run, page: Path) -> dict[str, str]:
    """Where the pages of the run's own patients are, relative to `page`; see `render_page`.

    Empty if there are none, or if the run was retrained after they were made.
    """
    listed = run.folder.patients / LIST
    found = read_json(listed) if listed.is_file() else {"pages": {}, "made_from": {}}
    if found["made_from"] != run.state:
        return {}
    there = os.path.relpath(run.folder.patients.resolve(), page.resolve().parent)
    lesions = run.lesions.frame.select("isic_id", "patient_id").iter_rows()
    own = {isic_id: found["pages"][patient] for isic_id, patient in lesions if patient in found["pages"]}
    return {name: f"{there}/{file}" for name, file in {"": INDEX, **own}.items()}


def report_of(root: Path, *, stated: Origin | None = None) -> tuple[Run, dict[str, Any]]:
    """Read a finished run and put its report together.

    Args:
        root: The run's folder.
        stated: What the user says the data are.

    Returns:
        The run, and the report as `submissions.report.building.build_report` gives it.

    Raises:
        InputError: The run is not finished, or one of its files is missing or damaged.
    """
    run = open_run(root)
    run.manifest.check(run.folder.oof, run.folder.metrics, run.folder.blend, run.folder.dictionary)
    origin = origin_of(run.lesions.facts["origin"], simulated=run.config.data.truth is not None, stated=stated)
    return run, build_report(Artifacts.read(run.folder.root), run.lesions.frame, origin)
