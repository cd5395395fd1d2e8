"""The audit: every published figure next to the simulated one, within the stated bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.simulator import audit_columns, audit_structure
from cohort.simulator.calibration import Array, published
from cohort.simulator.cohort import Simulated
from cohort.simulator.findings import AuditFinding
from cohort.simulator.ranks import share_below

LEAST_SENSITIVITY = 0.8
GAP = (0.004, 0.012)
"""Around the published 0.008: what the crops add to the table."""
_CHAPTERS = (
    audit_columns.quantiles,
    audit_columns.zeros,
    audit_columns.univariate,
    audit_columns.correlations,
    audit_structure.relations,
    audit_structure.categories,
    audit_structure.malignant_counts,
    audit_structure.patients,
    audit_structure.tagging,
    audit_structure.ugly_ducklings,
)


def audit(cohort: Simulated) -> list[AuditFinding]:
    """Compare a simulated cohort with the published figures.

    Returns:
        One finding per figure. If the size or prevalence differs from the published one, only exact relations and
        rules are judged; the others are marked not applicable.
    """
    totals = published()["totals"]
    full = (cohort.metadata.height, cohort.metadata["target"].sum()) == (totals["lesions"], totals["malignant"])
    findings = [*audit_table(cohort.metadata), *optimum(cohort.truth)]
    return [replace(finding, applies=full or finding.exact) for finding in findings]


def audit_table(frame: pl.DataFrame) -> list[AuditFinding]:
    """Compare the 55 official columns, with the dtypes of `cohort.columns`, with the published figures."""
    return [finding for chapter in _CHAPTERS for finding in chapter(frame)]


def optimum(truth: pl.DataFrame) -> Iterator[AuditFinding]:
    """What the best ranking reaches with table and crop, and how much of it the crop adds."""
    facts = published()["performance"]
    malignant = (truth["target"] == 1).to_numpy()
    both, table = (partial_auc(truth[name].to_numpy(), malignant) for name in ("p_both", "p_table"))
    yield AuditFinding("optimum", "partial AUC of p_both", None, both, *facts["both_optimum"])
    yield AuditFinding("optimum", "partial AUC of p_both less that of p_table", facts["gap"], both - table, *GAP)


def partial_auc(score: Array, malignant: npt.NDArray[np.bool_]) -> float:
    """Area between the ROC curve and a sensitivity of 0.8, at most 0.2, as the ISIC 2024 challenge counted it.

    It is the area over the fifth of the malignant lesions with the lowest scores: for each, the share of benign lesions
    with a lower one (ties half), averaged over all malignant lesions. If malignant lesions on both sides of that
    fifth tie with benign ones, the challenge's curve differs a little; probabilities do not tie.
    """
    lowest = np.sort(score[malignant])
    weight = np.clip((1.0 - LEAST_SENSITIVITY) * len(lowest) - np.arange(len(lowest)), 0.0, 1.0)
    return float(np.mean(weight * share_below(lowest, score[~malignant])))
