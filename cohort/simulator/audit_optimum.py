"""The audit's chapter on the known optimum: the partial AUC of ranking by the true probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from cohort.simulator.calibration import Array
from cohort.simulator.findings import AuditFinding

LEAST_SENSITIVITY = 0.8
GAP = (0.004, 0.012)
"""Around the published 0.008: what the crops add to the table."""


def optimum(truth: pl.DataFrame, facts: Mapping[str, Any]) -> Iterator[AuditFinding]:
    """What the best ranking reaches with table and crop, and how much of it is the crop's."""
    malignant = (truth["target"] == 1).to_numpy()
    both, table = (partial_auc(truth[name].to_numpy(), malignant) for name in ("p_both", "p_table"))
    yield AuditFinding("optimum", "partial AUC of p_both", None, both, *facts["performance"]["both_optimum"])
    gap = facts["performance"]["gap"]
    yield AuditFinding("optimum", "partial AUC of p_both less that of p_table", gap, both - table, *GAP)


def partial_auc(score: Array, malignant: npt.NDArray[np.bool_]) -> float:
    """Area between the ROC curve and a sensitivity of 0.8, at most 0.2, as the ISIC 2024 challenge counted it.

    It is the area over the fifth of the malignant lesions with the lowest scores: of each, the share of benign lesions
    with a lower one (ties half), averaged over all malignant lesions. Where malignant lesions on both sides of that
    fifth tie with benign ones the challenge's curve differs a little; probabilities do not tie.
    """
    lowest, others = np.sort(score[malignant]), np.sort(score[~malignant])
    above = np.searchsorted(others, lowest) + np.searchsorted(others, lowest, side="right")
    weight = np.clip((1.0 - LEAST_SENSITIVITY) * len(lowest) - np.arange(len(lowest)), 0.0, 1.0)
    return float(np.sum(weight * above) / (2 * len(others) * len(lowest)))
