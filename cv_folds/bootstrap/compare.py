"""The two questions asked most often, in one call each."""

from __future__ import annotations

import polars as pl
from numpy.typing import ArrayLike

from cv_folds.bootstrap.intervals import Difference, Interval, Method
from cv_folds.bootstrap.replicates import POOLED, replicate
from cv_folds.metrics.registry import Metric


def metric_interval(
    metric: Metric,
    target: ArrayLike,
    score: ArrayLike,
    *,
    patient: ArrayLike | pl.Series | None,
    replicates: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
    method: Method = "bca",
) -> Interval:
    """How far would this metric move if other patients had come?

    Args:
        metric: One of `cv_folds.metrics.METRICS`, or a custom one.
        target: 1 malignant, 0 benign; shape (lesions,).
        score: Finite; higher is more suspicious; shape (lesions,).
        patient: Patient ids; None draws lesions, which understates the uncertainty if patients have several.
        replicates: At least 100.
        seed: Seed of the draws.
        level: Nominal coverage, in (0, 1).
        method: "percentile" or "bca"; the defaults are explained in `cv_folds.bootstrap.intervals`.

    Raises:
        InputError: As `replicate`.
    """
    drawn = replicate(target, {"": score}, metrics=[metric], patient=patient, replicates=replicates, seed=seed)
    return drawn.interval(POOLED, metric.name, "", level=level, method=method)


def paired_difference(
    metric: Metric,
    target: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    patient: ArrayLike | pl.Series | None,
    replicates: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
    method: Method = "percentile",
) -> Difference:
    """Does `first` really differ from `second` on this metric, or would other patients reverse it?

    Args:
        metric: One of `cv_folds.metrics.METRICS`, or a custom one.
        target: 1 malignant, 0 benign; shape (lesions,).
        first: A score; shape (lesions,).
        second: Another score of the same lesions; shape (lesions,).
        patient: As in `metric_interval`; the draws are the same for both scores.
        replicates: At least 100.
        seed: Seed of the draws.
        level: Nominal coverage, in (0, 1).
        method: "percentile" or "bca".

    Returns:
        The interval of first minus second; `distinguishable` is False if it covers 0.

    Raises:
        InputError: As `replicate`.
    """
    scores = {"first": first, "second": second}
    drawn = replicate(target, scores, metrics=[metric], patient=patient, replicates=replicates, seed=seed)
    return drawn.difference(POOLED, metric.name, "first", "second", level=level, method=method)
