"""The lesions stage: the user's table, read once, in the order that every later table keeps."""

from __future__ import annotations

from pathlib import Path

from cohort.lesions import Lesions
from cohort.reading import read_cohort, varying_columns
from engine.console import log
from engine.errors import InputError
from submissions.report.origin import find_origin
from uglyduck.run.run import Run
from uglyduck.stages.stage import Stage


def _read(run: Run) -> list[Path]:
    data = run.config.data
    cohort = read_cohort(
        data.metadata,
        labels="required",
        duplicates=data.duplicates,
        duplicate_policy=data.duplicate_policy,
        groups=data.groups,
        ungrouped=data.ungrouped,
    )
    for finding in cohort.findings:
        if finding.status == "found" and finding.severity == "warning":
            log.warning("%s (%s): %s", finding.title, finding.code, finding.measured)
    if data.images is None and data.image_scores is None and not varying_columns(cohort):
        raise InputError(
            "no column besides ids and labels differs between lesions, so there is nothing to learn from",
            where=str(data.metadata),
            remedy="give a table with measurements, or crops as [data] images",
        )
    origin = find_origin(data.metadata, cohort.frame["isic_id"])
    Lesions(cohort.frame, {"dataset": cohort.dataset, "origin": origin}).write(run.folder.lesions)
    return [run.folder.lesions]


LESIONS = Stage(
    "lesions",
    __name__,
    _read,
    inputs=("metadata", "duplicates", "groups"),
    settings=lambda run: run.config.data.model_dump(include={"duplicate_policy", "ungrouped"}),
)
