"""The exact patient bootstrap: thousands of replicates of every metric, view and score from the same draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import methodcaller

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from cv_folds.bootstrap.intervals import BootstrapSample, Difference, Interval, Method
from cv_folds.bootstrap.units import Units
from cv_folds.bootstrap.views import ScoredView, scored_view, view_slots
from cv_folds.metrics.inputs import Flags, Floats, checked_lesions, fraction, patient_codes
from cv_folds.metrics.registry import PAUC, Metric, RetrievalMetric
from engine.errors import InputError

#: View or mean, and score.
Key = tuple[str, str]

POOLED = "pooled"
MIN_REPLICATES = 100
#: Draws, as a multiple of the replicates wanted, after which a view with too few malignant patients is given up.
PATIENCE = 20


@dataclass(frozen=True)
class Replicates:
    """Estimates and replicates by view, metric and score.

    Attributes:
        unit: "patient", or "lesion" if no patient is known.
        samples: Keyed by (view, metric name, score name).
    """

    unit: str
    samples: dict[tuple[str, str, str], BootstrapSample]

    def interval(self, view: str, metric: str, score: str, *, level: float = 0.95, method: Method = "bca") -> Interval:
        """The interval of one metric of one score on one view; for why BCa, see `cv_folds.bootstrap.intervals`.

        Raises:
            InputError: `level` is outside (0, 1).
        """
        fraction(level, "level", zero=False, one=False)
        return Interval.of(self.samples[view, metric, score], level=level, method=method)

    def difference(
        self, view: str, metric: str, first: str, second: str, *, level: float = 0.95, method: Method = "percentile"
    ) -> Difference:
        """The interval of `first` minus `second`, paired: both scores see the same patients in every replicate.

        For why the percentile method, see `cv_folds.bootstrap.intervals`.

        Raises:
            InputError: `level` is outside (0, 1).
        """
        fraction(level, "level", zero=False, one=False)
        pair = self.samples[view, metric, first].minus(self.samples[view, metric, second])
        return Difference.of(pair, level=level, method=method)


def replicate(
    target: ArrayLike,
    scores: Mapping[str, ArrayLike],
    *,
    metrics: Sequence[Metric] = (PAUC,),
    patient: ArrayLike | pl.Series | None = None,
    views: Mapping[str, ArrayLike] | None = None,
    means: Mapping[str, Sequence[str]] | None = None,
    replicates: int = 10_000,
    seed: int = 0,
) -> Replicates:
    """Draw patients with replacement and evaluate every metric exactly on each draw.

    As many patients are drawn as there are, all lesions of a drawn patient together, and a patient drawn twice counts
    as two patients. A draw that leaves a view without a malignant or without a benign lesion is drawn again for that
    view, and counted. The same draws serve all scores, so differences are paired. Neither the order of rows nor the
    number of threads changes a bit.

    Args:
        target: 1 malignant, 0 benign; shape (lesions,).
        scores: Score columns by name, each finite and of shape (lesions,).
        metrics: What to evaluate.
        patient: Patient ids; None draws lesions, which understates the uncertainty if patients have several.
        views: Named subsets of rows as flags of shape (lesions,), besides "pooled", which holds all rows.
        means: Named lists of views whose metric is averaged, such as the mean over folds.
        replicates: How many, at least 100.
        seed: Seed of the draws.

    Returns:
        Replicates by view (or mean), metric and score. A view without lesions of both classes has a NaN
        estimate and no replicates; one that is hardly ever drawn with both classes has no replicates.

    Raises:
        InputError: Bad arrays (see `checked_lesions`), fewer than 100 replicates, a negative seed, no score, or a
            retrieval metric without patients.
    """
    _check(scores, metrics, patient, replicates, seed)
    lesions = {name: checked_lesions(target, score) for name, score in scores.items()}
    malignant = next(iter(lesions.values())).malignant
    inside = {POOLED: np.ones(malignant.size, dtype=np.bool_), **_checked_views(views or {}, malignant.size)}
    inside = {name: flags for name, flags in inside.items() if _has_both_classes(flags, malignant)}
    columns = {name: each.score for name, each in lesions.items()}
    units, scored = _fold_into_matrices(malignant, columns, inside, metrics, patient)
    evaluation = _Evaluation(units, scored, {name: tuple(parts) for name, parts in (means or {}).items()})
    samples = evaluation.samples(metrics, replicates, seed)
    undefined = BootstrapSample(math.nan, np.empty(0), np.empty(0), units.multiplicity, 0)
    names = (POOLED, *(views or {}), *(means or {}))
    keys = [(view, metric.name, score) for view in names for metric in metrics for score in scores]
    return Replicates("lesion" if patient is None else "patient", {key: samples.get(key, undefined) for key in keys})


def _check(
    scores: Mapping[str, ArrayLike],
    metrics: Sequence[Metric],
    patient: ArrayLike | pl.Series | None,
    replicates: int,
    seed: int,
) -> None:
    if replicates < MIN_REPLICATES:
        raise InputError(
            f"{replicates} are too few for an interval", where="replicates", remedy=f"use at least {MIN_REPLICATES}"
        )
    if seed < 0:
        raise InputError(f"{seed} is negative", where="seed", remedy="use 0 or a positive whole number")
    if not scores or not metrics:
        raise InputError("nothing to evaluate", where="bootstrap", remedy="give at least one score and one metric")
    if patient is None and any(isinstance(metric, RetrievalMetric) for metric in metrics):
        raise InputError("retrieval is counted within patients", where="metrics", remedy="give patient ids")


def _checked_views(views: Mapping[str, ArrayLike], rows: int) -> dict[str, Flags]:
    checked = {name: np.asarray(flags, dtype=np.bool_) for name, flags in views.items()}
    for name, flags in checked.items():
        if flags.shape != (rows,):
            raise InputError(f"{rows} lesions but flags of shape {flags.shape}", where=name, remedy="flag each lesion")
    return checked


def _has_both_classes(inside: Flags, malignant: Flags) -> bool:
    return bool((inside & malignant).any() and (inside & ~malignant).any())


def _fold_into_matrices(
    malignant: Flags,
    columns: Mapping[str, Floats],
    inside: Mapping[str, Flags],
    metrics: Sequence[Metric],
    patient: ArrayLike | pl.Series | None,
) -> tuple[Units, dict[Key, ScoredView]]:
    slots = {
        (view, name): view_slots(flags, malignant, column)
        for view, flags in inside.items()
        for name, column in columns.items()
    }
    code = np.arange(malignant.size) if patient is None else patient_codes(patient, malignant.size)
    units = Units.of(code, [slot for slot, _ in slots.values()])
    return units, {key: scored_view(metrics, units, slot, malignant, columns[key[1]]) for key, slot in slots.items()}


@dataclass(frozen=True)
class _Evaluation:
    """Every view of every score, and the means of views, for one weighting of the units at a time."""

    units: Units
    scored: dict[Key, ScoredView]
    means: dict[str, tuple[str, ...]]

    def samples(self, metrics: Sequence[Metric], wanted: int, seed: int) -> dict[tuple[str, str, str], BootstrapSample]:
        """Samples by view, metric and score; views that cannot be evaluated are absent."""
        multiplicity = self.units.multiplicity
        ones = multiplicity[:, np.newaxis].astype(np.float64)
        estimates = self._each(methodcaller("drawn", ones))
        left_out = self._each(methodcaller("left_out", multiplicity))
        samples = {}
        for (view, score), values in self._drawn(wanted, seed).items():
            kept, redrawn = _defined(values, wanted)
            for row, metric in enumerate(metrics):
                estimate, without = estimates[view, score][row, 0], left_out[view, score][row]
                samples[view, metric.name, score] = BootstrapSample(
                    float(estimate), kept[row], without, multiplicity, redrawn
                )
        return samples

    def _drawn(self, wanted: int, seed: int) -> dict[Key, Floats]:
        """Draw until every view has enough defined replicates, or patience runs out; each (metrics, draws)."""
        chunks: list[dict[Key, Floats]] = []
        defined: dict[Key, int] = {}
        for weights in self.units.draws(seed):
            chunks.append(self._each(methodcaller("drawn", weights)))
            for key, values in chunks[-1].items():
                defined[key] = defined.get(key, 0) + int(np.isfinite(values[0]).sum())
            if min(defined.values()) >= wanted or len(chunks) * weights.shape[1] >= PATIENCE * wanted:
                break
        return {key: np.concatenate([chunk[key] for chunk in chunks], axis=1) for key in chunks[0]}

    def _each(self, evaluate: Callable[[ScoredView], Floats]) -> dict[Key, Floats]:
        """Evaluate every view and score, then the means whose views are all there."""
        values = {key: evaluate(view) for key, view in self.scored.items()}
        for name, parts in self.means.items():
            for score in dict.fromkeys(score for _, score in self.scored):
                if all((part, score) in self.scored for part in parts):
                    values[name, score] = np.mean([values[part, score] for part in parts], axis=0)
        return values


def _defined(values: Floats, wanted: int) -> tuple[Floats, int]:
    """The first `wanted` defined draws, or none if there are fewer, and how many were drawn again on the way."""
    defined = np.flatnonzero(np.isfinite(values[0]))
    if defined.size < wanted:
        return values[:, :0], values.shape[1] - defined.size
    return values[:, defined[:wanted]], int(defined[wanted - 1]) + 1 - wanted
