"""Variants side by side: paired patient-bootstrap intervals, p values, and their correction for many comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from cv_folds.bootstrap import POOLED, replicate
from cv_folds.bootstrap.intervals import BootstrapSample, Difference, Interval
from cv_folds.bootstrap.repetitions import over_repetitions
from cv_folds.metrics import PAUC, Metric
from ensemble.ablation.variants import Variant
from ensemble.out_of_fold import Scores


def compare(
    variants: Sequence[Variant],
    scores: Sequence[Mapping[str, Scores]],
    *,
    target: npt.NDArray[np.int8],
    patient: pl.Series,
    replicates: int,
    seed: int,
    metric: Metric = PAUC,
) -> dict[str, Any]:
    """Measure a pooled metric of every variant, and its paired difference from the variant that it is compared with.

    All variants see the same drawn patients in every replicate.

    Args:
        variants: What was trained, the baseline first.
        scores: For each repetition (with its own folds and seeds), out-of-fold scores by variant, each (lesions,).
        target: 0 benign, 1 malignant, shape (lesions,).
        patient: Patient of each lesion.
        replicates: Bootstrap replicates, at least 100.
        seed: Seed of the bootstrap.
        metric: The metric.

    Returns:
        Ready for JSON: `baseline` with name, features and the metric, and `rows` with name, kind, against, features,
        the metric, and `difference` (variant minus what it is compared with: estimate, low, high, p, p_adjusted,
        distinguishable; only p_adjusted is corrected). A pair also has an `interaction`: what leaving out both changes
        beyond the sum of what leaving out each one changes.
    """
    named = {f"{number} {variant.name}": one[variant.name] for number, one in enumerate(scores) for variant in variants}
    drawn = replicate(target, named, metrics=[metric], patient=patient, replicates=replicates, seed=seed)
    samples = {
        variant.name: over_repetitions(
            [drawn.samples[POOLED, metric.name, f"{number} {variant.name}"] for number in range(len(scores))]
        )
        for variant in variants
    }
    measured = {name: Interval.of(sample).as_dict() for name, sample in samples.items()}
    rows = [_row(samples, variant) | {metric.name: measured[variant.name]} for variant in variants[1:]]
    known = [row["difference"] for row in rows if row["difference"]["p"] is not None]
    for found, adjusted in zip(known, holm([found["p"] for found in known]), strict=True):
        found["p_adjusted"] = adjusted
    whole = variants[0]
    baseline = {"name": whole.name, "features": len(whole.features), metric.name: measured[whole.name]}
    return {"baseline": baseline, "rows": rows}


def two_sided_p(values: npt.NDArray[np.float64]) -> float | None:
    """Twice the share of replicates on the rarer side of 0, at most 1; None without replicates.

    A replicate at 0 counts on both sides, and the sample itself counts as one more replicate, so that p is never 0.
    Source: Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 4.2.

    Args:
        values: Replicates of a difference, shape (replicates,).
    """
    if not values.size:
        return None
    rarer = min(int((values <= 0).sum()), int((values >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (values.size + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """P values adjusted to bound the chance of any false positive among all comparisons.

    The smallest of m is multiplied by m, the next by m - 1 and so on, and none may fall below the one before.
    Source: Holm, Scandinavian Journal of Statistics 6:65, 1979. Valid however the comparisons depend on each other.
    """
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def _row(samples: Mapping[str, BootstrapSample], variant: Variant) -> dict[str, Any]:
    change = samples[variant.name].minus(samples[variant.against])
    found = Difference.of(change).as_dict() | {"p": two_sided_p(change.values), "p_adjusted": None}
    row = {
        "name": variant.name,
        "kind": variant.kind,
        "against": variant.against,
        "features": len(variant.features),
        "difference": found,
    }
    if variant.apart and all(name in samples for name in variant.apart):
        first, second = (samples[name] for name in variant.apart)
        whole = samples[variant.against]
        beyond = change.minus(first.minus(whole)).minus(second.minus(whole))
        row["interaction"] = Difference.of(beyond).as_dict()
    return row
