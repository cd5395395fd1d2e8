"""The audit's chapters on numeric columns: quantiles, zeros and caps, univariate AUCs, correlations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from cohort.simulator.calibration import Array, published
from cohort.simulator.findings import AuditFinding, near
from cohort.simulator.ranks import share_below

CONFIDENCE = "tbp_lv_dnn_lesion_confidence"
QUANTILE_TOLERANCE = 0.1
POINT = 0.01
AUC_TOLERANCE = 0.03
CORRELATION_MEAN, CORRELATION_LARGEST = 0.05, 0.20


def quantiles(frame: pl.DataFrame) -> Iterator[AuditFinding]:
    """Every published quantile, within 0.1 of the column's published standard deviation, overall and by class."""
    facts, parts = published(), _by_class(frame)
    for name, column in facts["columns"].items():
        for label, part in parts.items():
            values = part[name].drop_nulls().to_numpy()
            for percent, wanted in column[label].items():
                have = float(np.quantile(values, float(percent) / 100))
                tolerance = QUANTILE_TOLERANCE * column["sd"]
                yield near("quantiles", f"{name}, {label}, {percent} %", wanted, have, tolerance)


def zeros(frame: pl.DataFrame) -> Iterator[AuditFinding]:
    """Shares of exact zeros and of capped values, within a percentage point."""
    facts, parts = published(), _by_class(frame)
    for name, shares in facts["zeros"].items():
        for label, wanted in shares.items():
            have = float((parts[label][name] == 0).mean() or 0.0)
            yield near("zeros and caps", f"{name} = 0, {label}", wanted, have, POINT)
    for name, cap in facts["caps"].items():
        for label in ("benign", "malignant"):
            have = float((parts[label][name] > cap["above"]).mean() or 0.0)
            yield near("zeros and caps", f"{name} > {cap['above']}, {label}", cap[label], have, POINT)


def univariate(frame: pl.DataFrame) -> Iterator[AuditFinding]:
    """The published AUCs of single columns for malignant against benign, within 0.03."""
    facts = published()
    wanted = {name: column["auc"] for name, column in facts["columns"].items() if "auc" in column}
    wanted[CONFIDENCE] = facts["confidence_auc"]
    malignant = (frame["target"] == 1).to_numpy()
    for name, auc in wanted.items():
        value = frame[name].to_numpy()
        have = float(share_below(value[malignant], value[~malignant]).mean())
        yield near("univariate AUC", name, auc, have, AUC_TOLERANCE)


def correlations(frame: pl.DataFrame) -> Iterator[AuditFinding]:
    """Differences from the published 34 × 34 Pearson matrix: the mean at most 0.05, the largest at most 0.20."""
    facts = published()
    names = facts["correlation"]["columns"]
    upper = np.concatenate([np.array(row) for row in facts["correlation"]["upper"]])
    have = correlation_matrix(frame.select(names))[np.triu_indices(len(names), 1)]
    difference = np.abs(have - upper)
    worst = int(np.argmax(difference))
    row, column = (int(index[worst]) for index in np.triu_indices(len(names), 1))
    mean, largest = float(difference.mean()), float(difference.max())
    yield AuditFinding("correlations", "mean absolute difference", None, mean, 0.0, CORRELATION_MEAN)
    what = f"largest difference ({names[row]} and {names[column]})"
    yield AuditFinding("correlations", what, None, largest, 0.0, CORRELATION_LARGEST)


def correlation_matrix(frame: pl.DataFrame) -> Array:
    """Pearson correlations; a missing value counts as its column's mean."""
    columns = [frame[name].fill_null(strategy="mean").to_numpy() for name in frame.columns]
    values = np.stack([(column - column.mean()) / column.std() for column in columns])
    return np.asarray(np.einsum("in,jn->ij", values, values) / values.shape[1])


def _by_class(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {"all": frame, "benign": frame.filter(target=0), "malignant": frame.filter(target=1)}
