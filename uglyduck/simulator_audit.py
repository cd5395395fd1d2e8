"""The audit of a simulated cohort as a file and as a few lines."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import polars as pl

from cohort.files import write_json
from cohort.simulator.audit import FULL_SIZE, audit_table


def audit_cohort(metadata: pl.DataFrame, path: Path) -> str:
    """Compare a simulated train table with the published figures.

    Args:
        metadata: The 55 official columns.
        path: JSON file to write: every figure with its bounds.

    Returns:
        A line for each chapter and for each figure outside its bounds.
    """
    findings = audit_table(metadata)
    write_json({"lesions": metadata.height, "findings": [finding.as_dict() for finding in findings]}, path)
    lines = [
        f"audit: {sum(finding.passed for finding in findings)} of {len(findings)} figures within bounds, see {path}"
    ]
    if metadata.height != FULL_SIZE:
        lines.append(f"the bounds are stated for {FULL_SIZE:,} lesions; a smaller cohort scatters more")
    for group, members in groupby(findings, key=lambda finding: finding.group):
        chapter = list(members)
        lines.append(f"  {group}: {sum(finding.passed for finding in chapter)} of {len(chapter)}")
        lines.extend(
            f"    outside: {finding.what}: {finding.simulated:.4g}, bounds {finding.low:.4g} to {finding.high:.4g}"
            for finding in chapter
            if not finding.passed
        )
    return "\n".join(lines)
