"""One score, or two side by side, in numbers: pooled, by fold and as the mean over folds, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import polars as pl

from cv_folds.bootstrap import POOLED, Interval, replicate
from cv_folds.metrics import AUC, PAUC, SETOP15, Metric, RankMetric, metric_named
from engine.errors import InputError

MEAN = "mean_over_folds"
DEFAULT_METRICS = (PAUC.name, AUC.name, SETOP15.name)
#: With fewer patients with a malignant lesion, simulated intervals cover the truth too seldom.
FEW_PATIENTS = 50


def summarise(
    frame: pl.DataFrame,
    column: str,
    *,
    other: str | None = None,
    metrics: Sequence[str] = DEFAULT_METRICS,
    replicates: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Any]:
    """Measure a score, with patient-bootstrap intervals, and the paired difference to another.

    Pooled figures rank all lesions together, as a leaderboard does; the mean over folds ranks only lesions that were
    scored by the same models. Out of fold the two differ, since different models score on different scales.

    Args:
        frame: target (0 or 1), the score columns, and where known patient_id and fold.
        column: The score.
        other: A second score to compare with.
        metrics: Names from `cv_folds.metrics.METRICS`. Retrieval metrics are left out if no patient is known.
        replicates: Bootstrap draws, at least 100.
        seed: Bootstrap seed.
        level: Nominal coverage of the intervals.

    Returns:
        Ready for JSON. Counts (lesions, malignant, patients, malignant_patients), the settings, `unit` ("patient" or
        "lesion": what was drawn), and `pooled`, `mean_over_folds` (None without folds) and `by_fold` (a list, None
        without folds), each with an interval by metric: estimate, low, high, standard_error, level, method,
        replicates, redrawn; None stands for what is undefined. With `other`, the same three under `other` and, as
        `column` minus `other` and with `distinguishable`, under `difference`. `notes` says what to keep in mind.

    Raises:
        InputError: A column is missing, a score is missing or not finite, a target is not 0 or 1, there is one class
            only, or a parameter makes no sense.
    """
    scores = list(dict.fromkeys([column, *([other] if other else [])]))
    _require(frame, ["target", *scores, *({"fold"} & set(frame.columns))])
    patient = frame["patient_id"] if "patient_id" in frame.columns else None
    measured = [
        metric for metric in map(metric_named, metrics) if patient is not None or isinstance(metric, RankMetric)
    ]
    if not measured:
        raise InputError(
            f"{', '.join(metrics) or 'no metric'} cannot be measured", where="metrics", remedy="give patient ids"
        )
    folds = sorted(frame["fold"].unique()) if "fold" in frame.columns else []
    views = {_view(fold): (frame["fold"] == fold).to_numpy() for fold in folds}
    drawn = replicate(
        frame["target"].to_numpy(),
        {name: frame[name].to_numpy() for name in scores},
        metrics=measured,
        patient=patient,
        views=views,
        means={MEAN: list(views)} if views else None,
        replicates=replicates,
        seed=seed,
    )
    result = _counts(frame) | {
        "column": column,
        "unit": drawn.unit,
        "replicates": replicates,
        "seed": seed,
        "level": level,
        "metrics": {metric.name: metric.label for metric in measured},
    }
    filled = partial(_filled, frame, measured, folds)
    result |= filled(lambda view, metric: drawn.interval(view, metric, column, level=level))
    if other:
        result["other"] = {"column": other} | filled(
            lambda view, metric: drawn.interval(view, metric, other, level=level)
        )
        result["difference"] = filled(lambda view, metric: drawn.difference(view, metric, column, other, level=level))
    return result | {"notes": _notes(frame, result)}


def _filled(
    frame: pl.DataFrame, metrics: Sequence[Metric], folds: Sequence[int], cell: Callable[[str, str], Interval]
) -> dict[str, Any]:
    """Pooled, mean over folds and by fold, with an interval for each metric."""

    def row(view: str) -> dict[str, Any]:
        return {metric.name: cell(view, metric.name).as_dict() for metric in metrics}

    by_fold = [{"fold": fold} | _counts(frame.filter(pl.col("fold") == fold)) | row(_view(fold)) for fold in folds]
    return {POOLED: row(POOLED), MEAN: row(MEAN) if folds else None, "by_fold": by_fold or None}


def _view(fold: int) -> str:
    return f"fold {fold}"


def _require(frame: pl.DataFrame, columns: Sequence[str]) -> None:
    for name in columns:
        if name not in frame.columns:
            raise InputError(f"column {name} is missing", where="scores", remedy=f"choose from {frame.columns}")
        if frame[name].null_count():
            raise InputError(f"{frame[name].null_count()} values are missing", where=name, remedy="fill them in")


def _counts(frame: pl.DataFrame) -> dict[str, int | None]:
    known = "patient_id" in frame.columns
    carriers = frame.filter(pl.col("target") == 1)
    return {
        "lesions": frame.height,
        "malignant": carriers.height,
        "patients": frame["patient_id"].n_unique() if known else None,
        "malignant_patients": carriers["patient_id"].n_unique() if known else None,
    }


def _notes(frame: pl.DataFrame, result: dict[str, Any]) -> list[str]:
    notes = []
    if result["unit"] == "lesion":
        notes.append(
            "no patient ids: single lesions are drawn, so intervals are too narrow where patients have several"
        )
    elif result["malignant_patients"] < FEW_PATIENTS:
        notes.append(
            f"only {result['malignant_patients']} patients have a malignant lesion: so few make intervals too narrow"
        )
    if result["by_fold"]:
        notes.extend(_fold_notes(frame, result["by_fold"]))
    return notes


def _fold_notes(frame: pl.DataFrame, by_fold: list[dict[str, Any]]) -> list[str]:
    notes = []
    poor = [str(row["fold"]) for row in by_fold if row["malignant"] in {0, row["lesions"]}]
    if poor:
        notes.append(
            f"fold {', '.join(poor)} lacks malignant or benign lesions: no metric there, and no mean over folds"
        )
    if "patient_id" in frame.columns:
        split = frame.select("patient_id", "fold").unique()["patient_id"].is_duplicated().sum()
        if split:
            notes.append(f"patients lie in several folds ({split} places): figures may flatter models that saw them")
    return notes
