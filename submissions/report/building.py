"""Everything the page shows, as one JSON-able dict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import polars as pl

from cohort.frames import join_by_id
from submissions.report.artifacts import Artifacts
from submissions.report.cohort_counts import cohort_counts
from submissions.report.fairness import fairness
from submissions.report.gallery import gallery
from submissions.report.learners import learners
from submissions.report.mistakes import mistakes, placed
from submissions.report.overview import folds, overview
from submissions.report.provenance import provenance
from submissions.report.roc import roc

#: The command that makes what a section needs, by section.
COMMANDS = {
    "ablations": "uglyduck ablate RUN",
    "curves": "uglyduck rank RUN",
    "explanation": "uglyduck explain RUN",
    "findings": "uglyduck check RUN",
    "hospitals": "uglyduck hospitals RUN",
}
_OWN = {"target", "patient_id", "fold"}


def build_report(run: Artifacts, table: pl.DataFrame, origin: dict[str, str]) -> dict[str, Any]:
    """Assemble all sections.

    Args:
        run: The run's files.
        table: The training table in canonical form; every lesion of the run is in it.
        origin: As `origin.origin_of` returns it.

    Returns:
        Ready for JSON; `not_run` names, for each section without content, the command that would fill it, `stale` the
        sections that lack something because it was made before the run was retrained.
    """
    lesions = placed(join_by_id(run.oof, table.drop(_OWN & set(table.columns))))
    content = {
        "run": run.name,
        "origin": origin,
        "overview": overview(run),
        "people": cohort_counts(lesions),
        "roc": roc(run),
        "learners": learners(run),
        "ablations": run.ablations,
        "calibration": run.metrics["calibration"],
        "folds": folds(run),
        "hospitals": run.optional.get("hospitals"),
        "fairness": fairness(lesions, replicates=run.replicates, seed=run.seed),
        "curves": run.optional.get("curves"),
        "explanation": run.optional.get("groups"),
        "gallery": gallery(lesions, table, run.state, run.drivers),
        "mistakes": mistakes(lesions),
        "findings": run.optional.get("findings"),
        "features": dict(Counter(feature["group"] for feature in run.features)),
        "provenance": provenance(run),
        "stale": sorted({"groups": "explanation"}.get(name, name) for name in run.stale),
    }
    return content | {"not_run": {name: command for name, command in COMMANDS.items() if not content[name]}}


def pictured(report: Mapping[str, Any]) -> list[str]:
    """The isic_ids of all lesions whose crops the page shows."""
    shown = [name for entry in report["gallery"] for name in (entry["isic_id"], *entry["others"])]
    return shown + [row["isic_id"] for kind in ("misses", "alarms") for row in report["mistakes"][kind]]
