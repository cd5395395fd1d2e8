"""The audit: every published figure next to the simulated one, within the stated bounds."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from cohort.simulator import audit_columns, audit_optimum, audit_structure
from cohort.simulator.calibration import published
from cohort.simulator.cohort import Simulated
from cohort.simulator.findings import AuditFinding

FULL_SIZE = 401_059
"""The bounds are stated for this many lesions, 393 of them malignant; the figures of smaller cohorts scatter more."""


def audit(cohort: Simulated) -> list[AuditFinding]:
    """Compare a simulated cohort with the published figures.

    Returns:
        One finding a figure. In a cohort of other size or prevalence than the published one, only exact relations and
        rules are judged; of the others the finding says that they are not applicable.
    """
    totals = published()["totals"]
    full = (cohort.metadata.height, cohort.metadata["target"].sum()) == (totals["lesions"], totals["malignant"])
    findings = [*audit_table(cohort.metadata), *audit_optimum.optimum(cohort.truth, published())]
    return [replace(finding, applies=full or finding.exact) for finding in findings]


def audit_table(frame: pl.DataFrame) -> list[AuditFinding]:
    """Compare the 55 official columns, with the dtypes of `cohort.columns`, with the published figures."""
    facts = published()
    return [
        *audit_columns.quantiles(frame, facts),
        *audit_columns.zeros(frame, facts),
        *audit_columns.univariate(frame, facts),
        *audit_columns.correlations(frame, facts),
        *audit_structure.relations(frame),
        *audit_structure.categories(frame, facts),
        *audit_structure.malignant_counts(frame, facts),
        *audit_structure.patients(frame, facts),
        *audit_structure.tagging(frame, facts),
        *audit_structure.ugly_ducklings(frame, facts),
    ]
